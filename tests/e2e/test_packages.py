"""What is deployed runs from its own packages alone, and is the same when made twice."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import httpx
import pytest

from infra.cloud.bundling import install_packages
from infra.cloud.packaging import FUNCTIONS, Packages
from infra.local import LocalCloud
from infra.local.functions import ThirdParty
from infra.local.synthesis import ASSEMBLIES, synthesised_with_packages
from selfheal.records.healing import Healing, Trigger
from selfheal.usecases.heal.lifecycle import start_healing
from tests.support.small_loop import START, STEP, SmallLoop

ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
ZIP_LIMIT = 250 * 2**20
# Lambda's Python brings its runtime client along; the zips don't.
RUNTIME_CLIENT = ("awslambdaric", "runtime_client*", "snapshot_restore_py", "simplejson")

ZIPPED = ("predictor", "promotion")
NEEDED = ("numpy", "pydantic", "aws_lambda_powertools", "selfheal")
ABSENT = ("sklearn", "scipy", "pandas", "joblib", "pyarrow", "jinja2", "pytest", "infra")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(platform.system() != "Linux", reason="Lambda's packages run on Linux only"),
]


@pytest.fixture(scope="module")
def assembly() -> Path:
    return synthesised_with_packages(architecture=ARCHITECTURE, schedule_minutes=360)


@pytest.fixture(scope="module")
def third_party(tmp_path_factory) -> ThirdParty:
    """The runtime client alone for zips; for the image its own requirements, installed into an empty folder."""
    folder, installed = tmp_path_factory.mktemp("third-party"), Path(sysconfig.get_path("purelib"))
    for pattern in RUNTIME_CLIENT:
        for found in installed.glob(pattern):
            target = folder / "client" / found.name
            shutil.copytree(found, target) if found.is_dir() else shutil.copy2(found, target)
    install_packages(FUNCTIONS / "requirements.txt", folder / "image", ARCHITECTURE)
    return ThirdParty(zipped=folder / "client", image=folder / "image")


@pytest.fixture(scope="module")
def loop(assembly, third_party, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp("packaged")
    with LocalCloud.deploy(assembly, start=START, work_dir=work_dir, third_party=third_party) as cloud:
        small = SmallLoop(cloud)
        small.bootstrap()
        small.live(6)
        yield small
        small.close()


@pytest.fixture(scope="module")
def healing(loop) -> Healing:
    """A healing that somebody started, so that every function has run."""
    cloud = loop.cloud
    trigger = Trigger(kind="manual", reason="to see every function run")
    started = start_healing(cloud.stores, cloud.executions, cloud.stores.ledger.story(), trigger, cloud.clock.now)
    cloud.run_until(cloud.clock.now + 6 * STEP)
    return started


def test_the_packaged_predictor_answers_and_logs(loop):
    """The predictor runs from its zip and layers: it answered every row, and every answer is in the log."""
    logged = [line for _, body in loop.cloud.stores.data.get_many(log_keys(loop)) for line in body.splitlines()]
    assert len(logged) == len(loop.client.answered) > 0
    assert httpx.get(f"{loop.cloud.url}/openapi.json", timeout=60).status_code == 200


def log_keys(loop):
    return list(loop.cloud.stores.data.keys("predictions/"))


def test_the_images_functions_run_from_its_own_requirements(loop, healing):
    """Labels were taken in, monitoring reported, and a healing that somebody starts ends in a decision."""
    cloud = loop.cloud
    assert list(cloud.stores.data.keys("labels/accepted/"))
    assert list(cloud.stores.data.keys("monitoring/"))
    ended = {decision.execution: decision.kind for decision in cloud.stores.ledger.decisions()}
    assert ended[healing.execution] in {"promote", "reject"}
    for name in ("shadow_training", "label_wait", "gate_evaluation", "promotion"):
        assert "REPORT Duration" in cloud.function_log(name)


@pytest.mark.parametrize("function", ZIPPED)
def test_a_zip_sees_its_own_packages_only(loop, function):
    """A zip function imports numpy and the library; scikit-learn's world, which is installed here, isn't there."""
    assert importable(loop, function, NEEDED) == list(NEEDED)
    assert importable(loop, function, ABSENT) == []


def importable(loop, function: str, modules: tuple[str, ...]) -> list[str]:
    """Which modules the function's process would find, asked of a process with its path and no other."""
    spec = loop.cloud._functions.runtime(function).spec
    path = os.pathsep.join(map(str, [*spec.code, spec.packages]))
    probe = f"from importlib.util import find_spec; print(*[name for name in {modules!r} if find_spec(name)])"
    command = [sys.executable, "-S", "-c", probe]
    done = subprocess.run(command, env={"PYTHONPATH": path}, cwd=spec.code[0], check=True, capture_output=True)
    return done.stdout.decode().split()


@pytest.mark.usefixtures("healing")
@pytest.mark.parametrize("function", ZIPPED)
def test_a_zip_function_runs_from_its_package(loop, function):
    """Its process, AWS's client on nothing but the zip, its layers and that client, answered without a failure."""
    spec, log = loop.cloud._functions.runtime(function).spec, loop.cloud.function_log(function)
    assert "REPORT Duration" in log
    assert "Traceback" not in log
    assert all(str(folder).startswith(str(ASSEMBLIES)) for folder in spec.code)


@pytest.mark.parametrize("function", ZIPPED)
def test_a_zip_function_fits(loop, function):
    """A zip function with its layers stays below what Lambda unpacks."""
    spec = loop.cloud._functions.runtime(function).spec
    assert sum(file.stat().st_size for folder in spec.code for file in folder.rglob("*")) < ZIP_LIMIT


def test_the_same_sources_make_the_same_packages(loop):
    """Made again, library, function and third-party packages are the assembly's to the last byte, bytecode included."""
    function, core, runtime = loop.cloud._functions.runtime("predictor").spec.code
    with Packages(ARCHITECTURE, bundled=True) as packages:
        assert digest(packages.function("predictor")) == digest(function)
        assert digest(packages.core / "python") == digest(core)
        assert digest(packages.runtime / "python") == digest(runtime)


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        found.update(f"{file.relative_to(folder)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    assert any(file.suffix == ".pyc" for file in folder.rglob("*"))
    return found.hexdigest()


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_the_image_can_be_made_for_either_processor(tmp_path, architecture):
    """Every package of the image's lock has a wheel for the platform: nothing is compiled in the Dockerfile."""
    install_packages(FUNCTIONS / "requirements.txt", tmp_path, architecture, only_resolve=True)
