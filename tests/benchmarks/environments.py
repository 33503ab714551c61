"""Environments of their own for peers and tools, under build/: the project's own packages stay as they are locked."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "bench"


class NotInstallable(Exception):
    """A peer's packages can't be had on this machine."""


def environment(name: str, *packages: str, version: str = sys.executable) -> Path:
    """The Python of an environment with these packages and bytecode; made when first asked for.

    Raises NotInstallable.
    """
    folder = BUILD / "environments" / name
    python, done = folder / "bin" / "python", folder / ".made-of"
    if done.exists() and done.read_text(encoding="utf-8") == "\n".join(packages):
        return python
    _uv("venv", "--quiet", "--clear", "--python", version, str(folder))
    _uv("pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *packages)
    done.write_text("\n".join(packages), encoding="utf-8")
    return python


def _uv(*arguments: str) -> None:
    own = ROOT / ".tools" / "bin" / "uv"
    command = [str(own) if own.exists() else shutil.which("uv") or "uv", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstallable(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else " ".join(command))
