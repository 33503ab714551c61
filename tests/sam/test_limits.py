"""What Lambda allows a function holds in the containers too, and how much of it each function takes."""

import json
import subprocess
from pathlib import Path

import pytest

from infra.local.sam.images import SAM, sam_environment
from infra.local.sam.unprivileged import GROUP, USER
from infra.local.synthesis import ROOT
from tests.sam.life import say

# Those of the template: tests/infra proves that every folder is deployed.
FUNCTIONS = tuple(sorted(handler.parent.name for handler in (ROOT / "functions").glob("*/handler.py")))
AS_HANDLER = ("exec", "--user", f"{USER}:{GROUP}", "--env", "PYTHONPATH=/var/task:/opt/python:/var/runtime")
FIGURES = ROOT / "build" / "sam.json"

# Every folder that the user may write to; what the kernel shows of itself isn't storage.
WRITABLE = """
import os
for folder, below, _ in os.walk("/"):
    below[:] = [] if folder in ("/proc", "/sys") else below
    if os.access(folder, os.W_OK):
        below[:] = []
        print(folder)
"""
# Processor's time: other work on this machine makes it longer by little.
IMPORT = "import time; start = time.process_time(); import {}.handler; print(time.process_time() - start)"


@pytest.fixture(params=FUNCTIONS)
def function(request) -> str:
    return request.param


@pytest.fixture
def container(life, function) -> str:
    """The container in which the function ran; the predictor runs behind the API."""
    return life.hosting.containers()[function][0]


def in_container(life, container: str, program: str) -> str:
    return life.engine.docker(*AS_HANDLER, container, "python3", "-c", program)


def processes(life, container: str) -> list[int]:
    """Process ids, of this machine, of what runs in a container."""
    return [int(line) for line in life.engine.docker("top", container, "-o", "pid").splitlines()[1:]]


def status(process: int) -> dict[str, str]:
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def peak_megabytes(life, container: str) -> float:
    return max(int(status(process)["VmHWM"].split()[0]) for process in processes(life, container)) / 1024


def memory_of(life, function: str) -> int:
    return life.cloud._functions.runtime(function).spec.memory


def test_every_function_of_the_template_has_run(life):
    """None is left out of what follows."""
    assert {name for name, running in life.hosting.containers().items() if running} == set(FUNCTIONS)
    assert set(life.cloud.functions) == set(FUNCTIONS)


def test_memory_is_the_templates(life, function, container):
    """The engine lets a container have what the template gives its function, and no more."""
    inspected = json.loads(life.engine.docker("inspect", container))[0]
    assert inspected["HostConfig"]["Memory"] == memory_of(life, function) * 2**20


def test_the_handler_is_nobody_in_particular(life, container):
    """All that runs belongs to an unprivileged user, but for the emulator that starts it."""
    others = [process for process in processes(life, container) if "aws-lambda-rie" not in command(process)]
    assert {status(process)["Uid"].split()[1] for process in others} == {str(USER)}


def command(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def test_only_tmp_can_be_written(life, container):
    """In the whole file system of a container its handler may write below /tmp and nowhere else."""
    assert in_container(life, container, WRITABLE).split() == ["/tmp"]


def test_there_is_no_way_out(life):
    """From where containers run there is no route to any other machine."""
    if not life.engine.is_own:
        pytest.skip("the engine that was here already has this machine's network")
    routes = [line.split() for line in Path("/proc/self/net/route").read_text(encoding="utf-8").splitlines()[1:]]
    assert {route[0] for route in routes} == {"docker0"}
    assert all(route[1] != "00000000" for route in routes)


def test_too_much_memory_ends_the_process(life):
    """A process that takes more than its function's memory is killed."""
    container = life.hosting.containers()["promotion"][0]
    too_much = f"bytes(b'x') * ({memory_of(life, 'promotion')} * 2**20)"
    arguments = ["docker", *AS_HANDLER, container, "python3", "-c", too_much]
    done = subprocess.run(arguments, check=False, capture_output=True, env=life.engine.environment)
    assert done.returncode == 137


def test_too_much_time_ends_the_function(life, tmp_path):
    """A function that waits longer than its template's timeout, here for storage that never answers, is ended."""
    template = life.hosting.template
    content = json.loads(template.read_text(encoding="utf-8"))
    name = next(name for name, item in content["Resources"].items() if "label_wait.handler.handler" in json.dumps(item))
    content["Resources"][name]["Properties"]["Timeout"] = 5
    impatient = template.with_name("impatient.json")
    # An address that nobody has and that nothing refuses.
    content["Resources"][name]["Properties"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = "http://172.17.255.1:9"
    impatient.write_text(json.dumps(content), encoding="utf-8")
    arguments = [str(SAM), "local", "invoke", name, "--template", str(impatient), "--skip-pull-image"]
    arguments += ["--event", str(ROOT / "events" / "state_machine.json")]
    done = subprocess.run(arguments, check=False, capture_output=True, text=True, env=sam_environment(life.engine))
    assert "timed out after 5 seconds" in done.stderr


def test_how_large_and_slow_everything_is(life, images):
    """Each function took less memory than it has; the figures are those of docs/reliability.md."""
    ours = (images.size - images.base_size) / 1e6
    assert ours <= 400
    figures = {}
    for function in FUNCTIONS:
        container = life.hosting.containers()[function][0]
        figures[function] = {
            "memory_mb": memory_of(life, function),
            "peak_mb": round(peak_megabytes(life, container)),
            "import_seconds": round(float(in_container(life, container, IMPORT.format(function))), 2),
        }
        say(f"{function}: {figures[function]}")
        assert figures[function]["peak_mb"] < memory_of(life, function)
    FIGURES.write_text(json.dumps({"image_mb": round(ours), "functions": figures}, indent=2), encoding="utf-8")
