"""All of it in one run, as a table and as `build/bench/serving.json`; every ratio is one of medians of this run."""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.environments import BUILD, NotInstallable, environment
from tests.benchmarks.serving import contestants, libraries, load
from tests.benchmarks.serving.contestants import Contestant
from tests.benchmarks.serving.material import BATCH, Material, prepare
from tests.benchmarks.serving.processes import FirstAnswer, first_answer, warm_calls
from tests.benchmarks.serving.store import store

OUT = BUILD / "serving.json"
COLD_RUNS = 15
WARM_ROUNDS, WARM_CALLS, BATCH_CALLS = 5, 300, 5


def main() -> None:
    """Prepare, measure, tell."""
    started, load_before = time.monotonic(), os.getloadavg()
    material = prepare()
    peer = contestants.sklearn_peer(material)
    cold = _cold(material, peer)
    warm, batch = _warm(material, peer)
    rates = _rates(material, peer)
    cold_ms = {name: median(run.seconds for run in runs) * 1000 for name, runs in cold.items()}
    result = {
        "cold_vs_floor": cold_ms["selfheal"] / cold_ms["floor"],
        "cold_vs_sklearn": cold_ms["sklearn"] / cold_ms["selfheal"],
        "warm_vs_floor": warm["selfheal"] / warm["floor"],
        "warm_vs_sklearn": warm["sklearn"] / warm["selfheal"],
        "rps_vs_sklearn": _least(rates, "selfheal", "sklearn"),
        "rps_vs_mlflow": _least(rates, "selfheal", "mlflow"),
        "batch_rows_per_second": BATCH / batch["selfheal"],
        "blend_cold_vs_floor": cold_ms["blend"] / cold_ms["floor"],
        "blend_warm_vs_floor": warm["blend"] / warm["floor"],
        "blend_batch_rows_per_second": BATCH / batch["blend"],
        **libraries.compared(material),
        "unpacked_mb": sum(_bytes(folder) for folder in material.package) / 1e6,
        "cold_ms": cold_ms,
        "peak_mb": {name: max(run.peak_mb for run in runs) for name, runs in cold.items()},
        "warm_us": {name: seconds * 1e6 for name, seconds in warm.items()},
        "batch_ms": {name: seconds * 1e3 for name, seconds in batch.items()},
        "requests_per_second": rates,
        "load_average": {"before": load_before, "after": os.getloadavg()},
        "seconds": time.monotonic() - started,
    }
    _tell(result)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written to {OUT.relative_to(Path.cwd()) if OUT.is_relative_to(Path.cwd()) else OUT}")


def _cold(material: Material, peer: Contestant) -> dict[str, list[FirstAnswer]]:
    """Whole processes by contestant, in turn, so that a busy moment of the machine hits all alike."""
    with store(material.registries) as variables:
        ours = [contestants.deployed(material, name, variables) for name in material.registries]
        runners = [contestants.floor(material), *ours, peer]
        runs: dict[str, list[FirstAnswer]] = {runner.name: [] for runner in runners}
        for _ in range(COLD_RUNS):
            for runner in runners:
                runs[runner.name].append(first_answer(runner, material.programs, material.one))
    return runs


def _warm(material: Material, peer: Contestant) -> tuple[dict[str, float], dict[str, float]]:
    """Median seconds of one row and of ten thousand, by contestant, in turn."""
    floor, ours = contestants.floor(material), [contestants.stubbed(material, name) for name in material.registries]
    one: dict[str, list[float]] = {runner.name: [] for runner in (floor, *ours, peer)}
    batch: dict[str, list[float]] = {runner.name: [] for runner in (*ours, peer)}
    for _ in range(WARM_ROUNDS):
        for runner in (floor, *ours, peer):
            one[runner.name] += warm_calls(runner, material.programs, material.one, WARM_CALLS)
        for runner in (*ours, peer):
            batch[runner.name] += warm_calls(runner, material.programs, material.batch, BATCH_CALLS)
    return _medians(one), _medians(batch)


def _rates(material: Material, peer: Contestant) -> dict[str, dict[int, float]]:
    row = json.loads(json.loads(material.one.read_text(encoding="utf-8"))["body"])
    server = environment("server", "-r", str(contestants.RUNTIME_LOCK), "uvicorn")
    ours = contestants.served_stub(material, material.registries["selfheal"])
    rates = {}
    servers: dict[str, tuple[Callable[[], AbstractContextManager[int]], str, Any]] = {
        "selfheal": (lambda: load.under_uvicorn(ours, server), "/predict", row),
        "sklearn": (lambda: load.under_uvicorn(peer, peer.python), "/predict", row),
        "mlflow": (lambda: load.mlflow(material), "/invocations", {"dataframe_records": [row]}),
        "bentoml": (lambda: load.bentoml(material), "/predict", {"row": row}),
    }
    for name, (start, path, body) in servers.items():
        try:
            with start() as port:
                rates[name] = load.requests_per_second(port, path, body)
            print(name, "requests per second by connections:", rates[name], flush=True)
        except (NotInstallable, TimeoutError, RuntimeError) as error:
            print(f"{name} could not be measured: {error}", file=sys.stderr)
    return rates


def _least(rates: Mapping[str, Mapping[int, float]], ours: str, theirs: str) -> float | None:
    """How many times theirs ours is, at the number of connections where that is least."""
    if theirs not in rates:
        return None
    return min(rates[ours][connections] / rate for connections, rate in rates[theirs].items())


def _medians(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: median(values) for name, values in seconds.items()}


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _tell(result: Mapping[str, Any]) -> None:
    wanted = {
        "cold_vs_floor": "at most 1.3",
        "cold_vs_sklearn": "at least 3.5",
        "warm_vs_floor": "at most 1.6",
        "warm_vs_sklearn": "at least 8",
        "rps_vs_sklearn": "at least 5",
        "rps_vs_mlflow": "at least 5",
        "rps_vs_lightgbm": "at least 4",
        "cold_vs_lightgbm": "at least 3",
        "rps_vs_xgboost": "at least 4",
        "cold_vs_xgboost": "at least 3",
        "explain_ms": "at most 10",
        "batch_rows_per_second": "at least 100,000",
        "blend_cold_vs_floor": "at most 1.3",
        "blend_warm_vs_floor": "at most 2.2",
        "blend_batch_rows_per_second": "at least 60,000",
        "unpacked_mb": "at most 75",
    }
    for name, limit in wanted.items():
        value = "not measured" if result[name] is None else f"{result[name]:,.2f}"
        print(f"{name:28} {value:>14}   {limit}")
    for name in ("cold_ms", "peak_mb", "warm_us", "batch_ms", "requests_per_second"):
        for contestant, figure in result[name].items():
            figures = figure.values() if isinstance(figure, dict) else [figure]
            print(f"{name:28} {contestant:>14}  ", *(f"{value:,.1f}" for value in figures))


if __name__ == "__main__":
    main()
