"""Bundling without Docker: wheels for the target platform by uv, bytecode by the Python that the functions run on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}


class BundlingImpossible(Exception):
    """A package can't be made on this machine; the message says what is missing."""


def install_packages(lock: Path, target: Path, architecture: str, *, only_resolve: bool = False) -> None:
    """Install a lock's packages for Lambda's platform into a folder. Only wheels: nothing is built here.

    `only_resolve` finds each wheel and installs none.

    Raises:
        BundlingImpossible: uv is missing, or a package has no wheel for the platform.
    """
    command = [_uv(), "pip", "install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += ["--python-version", python_version(), "--python-platform", PLATFORMS[architecture]]
    command += ["--link-mode", "copy", "--target", str(target), "--requirements", str(lock)]
    command += ["--dry-run"] if only_resolve else []
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own command
    if done.returncode:
        raise BundlingImpossible(f"uv can't install {lock.name} for {architecture}: {done.stderr.strip()}")
    if not only_resolve:
        _remove_traces(target)


def compile_bytecode(folder: Path, deployed_at: str) -> None:
    """Compile a folder that is read-only once deployed. The same sources give the same bytes.

    `unchecked-hash`, because a zip loses file times; a process of its own with a fixed hash seed and one worker,
    because what marshal writes depends on what else the interpreter holds.
    """
    command = [sys.executable, "-I", "-S", "-m", "compileall", "-q", "-j", "1", "-f"]
    command += ["--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", deployed_at, str(folder)]
    subprocess.run(command, check=True, env={"PYTHONHASHSEED": "0"})  # noqa: S603 - our own command


def python_version() -> str:
    """The version that the functions run on; bytecode is only good for that one.

    Raises BundlingImpossible where this is another one.
    """
    wanted = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if here != wanted:
        raise BundlingImpossible(f"packages are for Python {wanted}, this is {here}: run it from .venv (`make setup`)")
    return wanted


def _remove_traces(target: Path) -> None:
    # Console scripts hold the path of the interpreter that installed them, and nobody runs them in Lambda.
    shutil.rmtree(target / "bin", ignore_errors=True)
    for record in [*target.glob("*.dist-info/RECORD"), *target.glob("*.dist-info/direct_url.json")]:
        record.unlink()


def _uv() -> str:
    own = ROOT / ".tools" / "bin" / "uv"
    found = str(own) if own.exists() else shutil.which("uv", path=os.environ.get("PATH"))
    if found is None:
        raise BundlingImpossible("uv isn't installed: run `make setup`")
    return found
