"""LightGBM and XGBoost served as people do, FastAPI and the library, against the same fitted model exported here.

Ours and theirs are asked in turn, round by round, so that a busy moment of the machine hits both.
"""

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import joblib
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.pipeline import make_pipeline
from xgboost import XGBClassifier

from selfheal.contract import default_contract
from selfheal.models.fitted import Calibration, FittedModel, Member
from selfheal.models.native.export.proof import export
from tests.benchmarks.environments import environment
from tests.benchmarks.serving import contestants, load
from tests.benchmarks.serving.contestants import SAME_AS_OURS, Contestant
from tests.benchmarks.serving.material import FOLDER, Material, registry
from tests.benchmarks.serving.processes import first_answer, warm_calls
from tests.benchmarks.serving.store import store

ESTIMATORS: dict[str, Any] = {
    "lightgbm": LGBMClassifier(n_estimators=200, num_leaves=31, random_state=0, n_jobs=1, verbose=-1),
    "xgboost": XGBClassifier(n_estimators=200, max_depth=5, random_state=0, n_jobs=1),
}
# How their packages are called where the library isn't.
DISTRIBUTIONS = {"lightgbm": "lightgbm", "xgboost": "xgboost-cpu"}
COLD_RUNS, RATE_ROUNDS, EXPLAINED, ROUNDS_OF_EXPLAINED = 7, 5, 100, 3


def compared(material: Material) -> dict[str, Any]:
    """The ratios of each library, and the milliseconds of a request with reasons on the default model."""
    result: dict[str, Any] = {"explain_ms": _explain_ms(material)}
    for name in ESTIMATORS:
        registries = {name: _fitted(name, material)}
        peer = _peer(name, material)
        cold, rates = _cold(name, registries, material, peer), _rates(name, registries, material, peer)
        print(name, "cold seconds:", cold, "requests per second:", rates, flush=True)
        result |= {
            f"cold_vs_{name}": cold["theirs"] / cold["ours"],
            f"rps_vs_{name}": min(rates["ours"][number] / rates["theirs"][number] for number in rates["ours"]),
            f"{name}_cold_ms": {who: seconds * 1000 for who, seconds in cold.items()},
            f"{name}_requests_per_second": rates,
        }
    return result


def _fitted(name: str, material: Material) -> Path:
    """The library's model of the rows, saved for the peer, and the registry of the same one exported."""
    rows = pd.read_csv(material.rows).astype("float64")
    features = rows.drop(columns="label")
    pipeline = make_pipeline(ESTIMATORS[name]).fit(features, rows["label"].astype(np.int64))
    joblib.dump(pipeline, FOLDER / f"{name}.joblib")
    model = FittedModel([Member(pipeline)], Calibration(), 0.5)
    return registry(name, export(model, features, default_contract()))


def _peer(name: str, material: Material) -> Contestant:
    locked = [f"{package}=={version(package)}" for package in (*SAME_AS_OURS, DISTRIBUTIONS[name])]
    variables = {"PEER_MODEL": str(FOLDER / f"{name}.joblib")}
    return Contestant(name, environment(name, *locked, "uvicorn"), "sklearn_peer", (material.programs,), variables)


def _cold(name: str, registries: Mapping[str, Path], material: Material, peer: Contestant) -> dict[str, float]:
    """Median seconds of whole processes to their first answer."""
    with store(registries) as variables:
        runners = {"ours": contestants.deployed(material, name, variables), "theirs": peer}
        seconds: dict[str, list[float]] = {who: [] for who in runners}
        for _ in range(COLD_RUNS):
            for who, runner in runners.items():
                seconds[who].append(first_answer(runner, material.programs, material.one).seconds)
    return {who: median(values) for who, values in seconds.items()}


def _rates(
    name: str, registries: Mapping[str, Path], material: Material, peer: Contestant
) -> dict[str, dict[int, float]]:
    """Median requests per second by number of connections, both servers up and asked in turn."""
    row = json.loads(json.loads(material.one.read_text(encoding="utf-8"))["body"])
    server = environment("server", "-r", str(contestants.RUNTIME_LOCK), "uvicorn")
    ours = contestants.served_stub(material, registries[name])
    rounds: dict[str, list[dict[int, float]]] = {"ours": [], "theirs": []}
    with ExitStack() as up:
        ports = {
            "ours": up.enter_context(load.under_uvicorn(ours, server)),
            "theirs": up.enter_context(load.under_uvicorn(peer, peer.python)),
        }
        for _ in range(RATE_ROUNDS):
            for who, port in ports.items():
                rounds[who].append(load.requests_per_second(port, "/predict", row, seconds=1.0))
    return {who: {at: median(one[at] for one in told) for at in load.CONNECTIONS} for who, told in rounds.items()}


def _explain_ms(material: Material) -> float:
    """Of one row of the default model with three reasons, the whole handler."""
    event = json.loads(material.one.read_text(encoding="utf-8"))
    asked = FOLDER / "explain.json"
    asked.write_text(json.dumps({**event, "rawQueryString": "explain=3"}), encoding="utf-8")
    runner = contestants.stubbed(material, "selfheal")
    seconds = [warm_calls(runner, material.programs, asked, EXPLAINED) for _ in range(ROUNDS_OF_EXPLAINED)]
    return 1000 * median(value for of_round in seconds for value in of_round)


if __name__ == "__main__":
    from tests.benchmarks.serving.material import prepare

    before = os.getloadavg()
    print(json.dumps({**compared(prepare()), "load_average": {"before": before, "after": os.getloadavg()}}, indent=2))
