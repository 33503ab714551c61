"""What containers are made from: AWS's base image or a stand-in, the image that `sam build` makes, and both as Lambda
runs them.
"""

import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.local.assembly import Assembly
from infra.local.errors import LocalCloudError
from infra.local.sam.engine import Engine, NoEngine
from infra.local.synthesis import ROOT, synthesised_with_packages

HERE = Path(__file__).parent
SAM = ROOT / ".tools" / "sam" / "bin" / "sam"
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
PLATFORM = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}[ARCHITECTURE]
# Both as Lambda runs them, which `lambda.Dockerfile` adds.
ZIPPED, IMAGE = "selfheal-local-zipped", "selfheal-local-image"


@dataclass(frozen=True, slots=True)
class Images:
    """What `sam build` made: its template, and how large the image is, in bytes, base included and alone."""

    template: Path
    size: int
    base_size: int


def assembly_for_sam(**stage: float | str) -> Path:
    """A cloud assembly for this machine's processor, with packages."""
    return synthesised_with_packages(architecture=ARCHITECTURE, **stage)


def built(engine: Engine, assembly: Path, folder: Path) -> Images:
    """Have SAM build the functions of an assembly.

    Raises:
        NoEngine: the base image can't be had.
        LocalCloudError: something couldn't be built; the message ends with what was printed.
    """
    base = base_image()
    _provide(engine, base, folder)
    if engine.is_own:
        _build_with_network(engine, assembly)
    template = _sam_build(engine, assembly, folder / "sam")
    image = next(iter(_images(template).values()))
    for name, source in ((ZIPPED, base), (IMAGE, image)):
        engine.docker("build", "--quiet", "--build-arg", f"BASE={source}", "--tag", name, *_file("lambda.Dockerfile"))
    return Images(template, _size(engine, image), _size(engine, base))


def base_image() -> str:
    """The image that the Dockerfile begins with."""
    dockerfile = (ROOT / "functions" / "Dockerfile").read_text(encoding="utf-8")
    return str(re.findall(r"^FROM (\S+)$", dockerfile, re.MULTILINE)[-1])


def sam_environment(engine: Engine) -> Mapping[str, str]:
    """The environment of SAM's commands."""
    return {**engine.environment, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}


def _provide(engine: Engine, base: str, folder: Path) -> None:
    if not engine.is_own:
        try:
            engine.docker("pull", "--quiet", "--platform", PLATFORM, base)
        except LocalCloudError as error:
            raise NoEngine(f"{base} can't be pulled: {error}") from error
    elif not engine.docker("images", "--quiet", base):
        command = [str(HERE / "stand_in_base.sh"), str(folder), sys.base_prefix, sysconfig.get_path("purelib"), base]
        _run(command, engine.environment)


def _build_with_network(engine: Engine, assembly: Path) -> None:
    """Fill the builder's cache: SAM can't be told to build in this machine's network, and ours has no other one."""
    (context,) = {asset.folder for asset in Assembly(assembly).assets.values() if asset.bucket is None}
    file = str(context / "functions" / "Dockerfile")
    engine.docker("build", "--quiet", "--network", "host", "--platform", PLATFORM, "--file", file, str(context))


def _sam_build(engine: Engine, assembly: Path, folder: Path) -> Path:
    (template,) = assembly.glob("*-service.template.json")
    command = [str(SAM), "build", "--template", str(template), "--build-dir", str(folder), "--skip-pull-image"]
    _run(command, sam_environment(engine))
    return folder / "template.yaml"


def _images(template: Path) -> dict[str, str]:
    resources = read_template(template)["Resources"].items()
    found = {name: resource.get("Properties", {}).get("Code", {}) for name, resource in resources}
    return {name: code["ImageUri"] for name, code in found.items() if isinstance(code, dict) and "ImageUri" in code}


def read_template(template: Path) -> dict[str, Any]:
    """A template that SAM wrote."""
    content: dict[str, Any] = yaml.safe_load(template.read_text(encoding="utf-8"))
    return content


def _file(name: str) -> list[str]:
    return ["--file", str(HERE / name), str(HERE)]


def _size(engine: Engine, image: str) -> int:
    return int(engine.docker("image", "inspect", "--format", "{{.Size}}", image))


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)  # noqa: S603
    if done.returncode:
        raise LocalCloudError(f"`{' '.join(command)}` failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
