"""Who is measured: a Python, a path, a module with `handler` and `app`, an environment."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.environments import ROOT, NotInstallable, environment
from tests.benchmarks.serving.material import FOLDER, Material

RUNTIME_LOCK = ROOT / "layers" / "runtime" / "requirements.txt"
SAME_AS_OURS = ("fastapi", "mangum", "pandas", "scikit-learn", "joblib", "pydantic", "numpy")


@dataclass(frozen=True)
class Contestant:
    """One program; `path` goes before its environment's own packages."""

    name: str
    python: Path
    module: str
    path: tuple[Path, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """Nothing of this process's environment but what a process needs; one thread for numeric libraries."""
        path = os.pathsep.join(str(part) for part in self.path)
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        return {"PATH": os.environ["PATH"], "PYTHONPATH": path, **threads, **self.variables}


def bare_python() -> Path:
    """The interpreter without the development environment."""
    return Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def floor(material: Material) -> Contestant:
    """FastAPI and Mangum from the very layer that the predictor uses."""
    return Contestant("floor", bare_python(), "floor", (material.programs, material.runtime))


def deployed(material: Material, name: str, store: Mapping[str, str]) -> Contestant:
    """The predictor as it is deployed, over a store that answers at an address; the registry has its name."""
    variables = {"AWS_LAMBDA_RUNTIME_API": "unused", "SELFHEAL_REGISTRY_BUCKET": name, **store}
    return Contestant(name, bare_python(), "predictor.handler", tuple(material.package), variables)


def stubbed(material: Material, name: str) -> Contestant:
    """The predictor with the store stubbed, and the registry of its name."""
    path = (material.programs, *material.package)
    return Contestant(name, bare_python(), "stubbed", path, {"REGISTRY": str(material.registries[name])})


def served_stub(material: Material, registry: Path) -> Contestant:
    """The same for a server whose environment has the third-party packages."""
    path = (material.programs, material.task, material.core)
    variables = {"REGISTRY": str(registry)}
    return Contestant("selfheal", bare_python(), "stubbed", path, variables)


def sklearn_peer(material: Material) -> Contestant:
    """FastAPI, pandas and scikit-learn in the versions that the project itself trains with."""
    locked = [f"{name}=={version(name)}" for name in SAME_AS_OURS]
    python = environment("sklearn", *locked, "uvicorn")
    model = fitted(python, material, "joblib", FOLDER / "peer.joblib")
    return Contestant("sklearn", python, "sklearn_peer", (material.programs,), {"PEER_MODEL": str(model)})


def fitted(python: Path, material: Material, kind: str, target: Path, **variables: str) -> Path:
    """A peer's model, fitted by its own libraries. Raises NotInstallable."""
    command = [str(python), str(material.programs / "fit_peer.py"), str(material.rows), kind, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})
    if done.returncode:
        raise NotInstallable(done.stderr.strip().splitlines()[-1])
    return target
