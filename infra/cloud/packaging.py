"""What goes into each package, laid out in a temporary folder from which CDK takes its assets while it synthesises."""

import shutil
import tempfile
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.cloud.bundling import compile_bytecode, install_packages
from infra.cloud.trimming import trim

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
CORE = ROOT / "layers" / "core" / "python"
TRAINERS = ROOT / "layers" / "trainers"
RUNTIME_LOCK = ROOT / "layers" / "runtime" / "requirements.txt"
TRIMMING = ROOT / "infra" / "cloud" / "trimming.py"
IMAGE_FUNCTIONS = (
    "batch_scoring",
    "labels",
    "drift",
    "hour_roll_up",
    "shadow_training",
    "label_wait",
    "gate_evaluation",
)

_SOURCES_ONLY = shutil.ignore_patterns("__pycache__", "*.pyc")

# Beside the Dockerfile: what the image holds, and what it holds where a stage names an MLflow server.
IMAGE_LOCK, MLFLOW_LOCK = "requirements.txt", "requirements-mlflow.txt"


class Packages:
    """The folders of one synthesis. `bundled` false leaves out what is slow to make: third-party packages, bytecode."""

    def __init__(self, architecture: str, *, bundled: bool) -> None:
        self._architecture = architecture
        self._bundled = bundled
        self._folder = tempfile.TemporaryDirectory(prefix="selfheal-packages-")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def function(self, name: str) -> Path:
        """A zip function's own code: nothing of any other function."""
        folder = self._new("function", name)
        _copy(FUNCTIONS / name, folder / name)
        return self._finished(folder, "/var/task")

    @cached_property
    def core(self) -> Path:
        """The layer of the library."""
        folder = self._new("core")
        _copy(CORE, folder / "python")
        return self._finished(folder, "/opt")

    @cached_property
    def runtime(self) -> Path:
        """The layer of third-party packages; only its lock where packages aren't bundled."""
        folder = self._new("runtime")
        if self._bundled:
            install_packages(RUNTIME_LOCK, folder / "python", self._architecture)
            trim(folder / "python")
        else:
            shutil.copy2(RUNTIME_LOCK, folder)
        return self._finished(folder, "/opt")

    @cached_property
    def image(self) -> Path:
        """The context of the container image: functions, library, locks, what trims packages, and the Dockerfile."""
        folder = self._new("image")
        for name in IMAGE_FUNCTIONS:
            _copy(FUNCTIONS / name, folder / "functions" / name)
        for name in ("Dockerfile", IMAGE_LOCK, MLFLOW_LOCK):
            shutil.copy2(FUNCTIONS / name, folder / "functions" / name)
        shutil.copy2(TRIMMING, folder)
        _copy(CORE, folder / "layers" / "core" / "python")
        # Users' training code goes into the image alone, never into what faces the internet.
        _copy(TRAINERS, folder / "layers" / "trainers")
        return folder

    def _new(self, *parts: str) -> Path:
        folder = Path(self._folder.name, *parts)
        folder.mkdir(parents=True)
        return folder

    def _finished(self, folder: Path, deployed_at: str) -> Path:
        if self._bundled:
            compile_bytecode(folder, deployed_at)
        return folder


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=_SOURCES_ONLY)
