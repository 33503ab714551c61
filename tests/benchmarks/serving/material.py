"""What is measured: the packages as they are deployed, really trained models, and the requests."""

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from infra.cloud.packaging import Packages
from selfheal.contract import default_contract
from selfheal.models.native.blending import blended
from selfheal.models.native.export.proof import export
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.tables.dataset import Dataset
from selfheal.training import train
from selfheal_tools.simulation.credit import credit_rows
from tests.benchmarks.environments import BUILD
from tests.support.serving import event, promote, write_version

FOLDER = BUILD / "serving"
PROGRAMS = Path(__file__).parent / "programs"
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
TRAINED_ON = 20_000
BATCH = 10_000


@dataclass(frozen=True)
class Material:
    """Folders and files below build/bench/serving; a registry for each contestant of ours, by name."""

    task: Path
    core: Path
    runtime: Path
    programs: Path
    registries: Mapping[str, Path]
    rows: Path
    one: Path
    batch: Path

    @property
    def package(self) -> list[Path]:
        """The predictor's path: its function, then its layers."""
        return [self.task, self.core, self.runtime]


def prepare() -> Material:
    """Lay everything out anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    task, core, runtime = _packages()
    programs = Path(shutil.copytree(PROGRAMS, FOLDER / "programs", ignore=shutil.ignore_patterns("__pycache__")))
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(programs)]
    subprocess.run(command, check=True)
    features, labels = credit_rows(np.random.default_rng(0), TRAINED_ON)
    features.assign(label=labels).to_csv(FOLDER / "rows.csv", index=False)
    registries = {name: registry(name, model) for name, model in _models(features, labels).items()}
    return Material(task, core, runtime, programs, registries, FOLDER / "rows.csv", *_requests(features))


def _packages() -> tuple[Path, Path, Path]:
    with Packages(ARCHITECTURES[platform.machine()], bundled=True) as packages:
        made = {"task": packages.function("predictor"), "core": packages.core, "runtime": packages.runtime}
        for name, folder in made.items():
            shutil.copytree(folder, FOLDER / name)
    return FOLDER / "task", FOLDER / "core" / "python", FOLDER / "runtime" / "python"


def _models(features: Any, labels: Any) -> dict[str, bytes]:
    """One model of all rows, and its blend with those of the older and of the newer rows."""
    moments = np.arange(len(labels)).astype("datetime64[m]").astype("datetime64[us]")
    rows = Dataset(np.array([f"base-{i}" for i in range(len(labels))], dtype=object), moments, features, labels)
    older, newer = slice(0, int(0.7 * TRAINED_ON)), slice(int(0.3 * TRAINED_ON), None)
    models = [_trained(part) for part in (rows, rows.take(older), rows.take(newer))]
    return {"selfheal": models[0], "blend": blended(list(zip(models, (0.5, 0.3, 0.2), strict=True)), 0.5)}


def _trained(rows: Dataset) -> bytes:
    trained = train(rows, default_contract())
    print("model:", *(candidate.name for candidate in trained.candidates if candidate.chosen))
    return export(trained.fitted, rows.features, default_contract())


def registry(name: str, model: bytes) -> Path:
    """The folder of a registry whose production version is this model."""
    bucket, folder = MemoryBucket(), FOLDER / "registries" / name
    stores = Stores(bucket, bucket)
    write_version(stores, "v1", model=model)
    promote(stores, "v1")
    for key in bucket.keys(""):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bucket.get(key).body)
    return folder


def _requests(features: Any) -> tuple[Path, Path]:
    rows = json.loads(features.head(BATCH).to_json(orient="records"))
    for row in rows:
        for name, feature in default_contract().features.items():
            if feature.type == "integer" and row[name] is not None:
                row[name] = int(row[name])
    paths = FOLDER / "one.json", FOLDER / "batch.json"
    for path, body in zip(paths, (rows[0], {"rows": rows}), strict=True):
        path.write_text(json.dumps({**event("http_predict"), "body": json.dumps(body)}), encoding="utf-8")
    return paths
