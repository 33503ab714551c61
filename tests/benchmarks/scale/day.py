"""A day of predictions, rolled up by the hour, monitored by this release and by an earlier one."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from selfheal.models.native import load_artefact
from selfheal.prefixes import SUMMARIES
from selfheal.records.labels import Label
from selfheal.records.predictions import new_request_id
from selfheal.stores.collection import Stores
from selfheal.stores.log_columns import ID, OWN_ID, PREDICTION, PROBABILITY, TIMESTAMP, VERSION
from selfheal.stores.memory import MemoryBucket
from selfheal.stores.rollups import HOUR, rollup_key
from selfheal_tools.simulation.credit import credit_rows
from tests.benchmarks.scale.folder import FolderBucket
from tests.support.monitoring import START, trained_registry
from tests.support.monitoring import VERSION as PRODUCTION

ROOT = Path(__file__).parents[3]
LABELS_AN_HOUR = 500
A_REQUEST = 1000
# At a full hour no hour is cut.
NOW = START + 24 * HOUR


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--against", help="a revision whose code is measured on the same day")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_day(folder, asked.rows)
        found = {"rows": asked.rows, "now": measured(ROOT, folder, keep=False)}
        if asked.against:
            with checked_out(asked.against) as earlier:
                found |= compared(found["now"], measured(earlier, folder))
    print(json.dumps(found, indent=2))


def compared(now: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    """What the earlier release took, over what this one takes."""
    moved = [abs(now["distances"][name] / value - 1) for name, value in then["distances"].items()]
    ratios = {f"{name}_ratio": then[name] / now[name] for name in ("peak_mb", "added_mb", "seconds", "elapsed")}
    return {"then": then, **ratios, "same_verdict": now["verdict"] == then["verdict"], "largest_moved": max(moved)}


def measured(tree: Path, folder: Path, *, keep: bool = True) -> dict[str, Any]:
    """One run by the code of a tree; what it writes is taken away, hours' summaries unless they are to be kept."""
    found = run_program(tree, "monitored.py", str(folder), NOW.isoformat())
    shutil.rmtree(folder / "data" / "monitoring", ignore_errors=True)
    if not keep:
        shutil.rmtree(folder / "data" / SUMMARIES, ignore_errors=True)
    return found


def run_program(tree: Path, program: str, *arguments: str) -> dict[str, Any]:
    """What a program beside this one prints last, run by the code of a tree."""
    paths = (tree / "layers" / "core" / "python", tree / "infra" / "tools", tree)
    asked = [sys.executable, str(Path(__file__).parent / program), *arguments]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(asked, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        subprocess.run(["git", "worktree", "add", "--detach", "--quiet", tree, revision], check=True, cwd=ROOT)
        try:
            yield tree
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], check=True, cwd=ROOT)


def write_day(folder: Path, rows: int, labels_an_hour: int = LABELS_AN_HOUR) -> None:
    """A calm day of the credit world."""
    data, registry = FolderBucket(folder / "data"), FolderBucket(folder / "registry")
    trained = trained_registry()
    for key, body in trained.get_many(trained.keys("")):
        registry.put(key, body)
    stores = Stores(MemoryBucket(), trained)
    artefact = load_artefact(stores.models.artefact(stores.models.manifest(PRODUCTION), "model.json"))
    rng, labels = np.random.default_rng(11), Stores(data, registry).labels
    for hour in (START + n * HOUR for n in range(24)):
        frame, truth = _hour(rng, artefact, hour, rows // 24)
        path = folder / "data" / rollup_key(hour)
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(path, compression="zstd", index=False)
        chosen = rng.choice(len(frame), min(labels_an_hour, len(frame)), replace=False)
        labels.accept([_label(frame[ID].iloc[row], int(truth[row]), hour + HOUR) for row in chosen])


def _hour(rng: np.random.Generator, artefact: Any, hour: datetime, rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    features, truth = credit_rows(rng, rows)
    probabilities = artefact.probabilities_of({name: features[name].to_numpy() for name in features})
    requests = -(-rows // A_REQUEST)
    moments = [hour + n * HOUR / requests for n in range(requests)]
    ids = [f"{request}-{row:04d}" for request in map(new_request_id, moments) for row in range(A_REQUEST)][:rows]
    columns = {
        ID: pd.Series(ids, dtype=object),
        OWN_ID: pd.Series([None] * rows, dtype=object),
        TIMESTAMP: np.repeat(
            pd.DatetimeIndex([m.replace(tzinfo=None) for m in moments], dtype="datetime64[ms]"), A_REQUEST
        )[:rows],
        VERSION: pd.Series([PRODUCTION] * rows, dtype=object),
        PROBABILITY: probabilities,
        PREDICTION: (probabilities >= artefact.threshold).astype(np.int8),
    }
    return pd.DataFrame({**columns, **{name: features[name].to_numpy() for name in features}}), truth


def _label(key: str, label: int, moment: datetime) -> Label:
    return Label(prediction_id=key, label=label, label_timestamp=moment, received_at=moment)


if __name__ == "__main__":
    main()
