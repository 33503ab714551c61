"""The cloud assembly that the local cloud deploys: synthesised by the CDK app, kept by what it was made from."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infra.local.errors import SynthesisFailed

ROOT = Path(__file__).parents[2]
ASSEMBLIES = ROOT / "build" / "assemblies"
SOURCES = ("infra/cloud", "functions", "layers", "cdk.json", "requirements-dev.txt")

# Third-party packages come from the development environment here, so none are put into the assembly.
WITHOUT_PACKAGES: dict[str, object] = {"aws:cdk:bundling-stacks": []}


def synthesised(**stage: float | str) -> Path:
    """The folder of an assembly of the present sources; `stage` overrides settings of `infra.cloud.stage.Stage`.

    Synthesising takes ten seconds or so; an assembly of the same sources and settings is taken from `build/`.

    Raises:
        SynthesisFailed: with what the CDK app printed.
    """
    return _assembly({**WITHOUT_PACKAGES, **stage})


def synthesised_with_packages(**stage: float | str) -> Path:
    """The same with third-party packages and bytecode in it, as it is deployed. Raises SynthesisFailed."""
    return _assembly(dict(stage))


def _assembly(context: dict[str, object]) -> Path:
    folder = ASSEMBLIES / _content_hash(context)
    if not folder.exists():
        ASSEMBLIES.mkdir(parents=True, exist_ok=True)
        _synthesise_into(folder, context)
    return folder


def _synthesise_into(folder: Path, context: dict[str, object]) -> None:
    fresh = Path(tempfile.mkdtemp(dir=ASSEMBLIES, prefix="unfinished-"))
    environment = {**os.environ, "CDK_OUTDIR": str(fresh), "CDK_CONTEXT_JSON": json.dumps(context)}
    command = [sys.executable, "-m", "infra.cloud.app"]
    done = subprocess.run(  # noqa: S603 - our own app
        command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        shutil.rmtree(fresh)
        raise SynthesisFailed(f"`{' '.join(command)}` failed:\n{done.stdout}\n{done.stderr}".strip())
    try:
        fresh.rename(folder)
    except OSError:
        # Somebody else synthesised the same meanwhile; theirs is as good.
        shutil.rmtree(fresh)


def _content_hash(context: dict[str, object]) -> str:
    digest = hashlib.sha256(json.dumps(context, sort_keys=True).encode())
    for file in _sources():
        digest.update(f"{file.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:20]


def _sources() -> Iterator[Path]:
    for name in SOURCES:
        path = ROOT / name
        files = path.rglob("*") if path.is_dir() else [path]
        yield from sorted(file for file in files if file.is_file() and "__pycache__" not in file.parts)
