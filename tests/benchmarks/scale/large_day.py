"""A day of delivered objects rolled up in parts by two workers, then judged.

All predictions are of eight hours, so that the largest day has hours that are rolled up in parts. The same objects are
rolled up and judged by one process too, and both verdicts compared.
"""

import json
import math
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.benchmarks.scale.day import ROOT, measured, run_program
from tests.benchmarks.scale.folder import FolderBucket
from tests.support.monitoring import HOUR, START, trained_registry

SIZES = (600_000, 2_400_000, 10_000_000)
BUSY_HOURS = 8
# Lines of so many rows are what one object of the stream may have.
AN_OBJECT = 320_000
WORKERS = 2
TOLD = ("rows", "part_peak_mb", "part_rows_per_second", "reduce_peak_mb", "judge_seconds", "judge_peak_mb")


def large_day(sizes: Sequence[int]) -> dict[str, Any]:
    """Figures of the largest day, in bytes, seconds of a processor and rows; exponents over all of them."""
    found = [_sized(rows) for rows in sizes]
    return {
        **{name: found[-1][name] for name in TOLD},
        "verdict_equal": all(each["verdict_equal"] for each in found),
        "map_growth": _growth([(each["rows"], each["map_seconds"]) for each in found]),
        "judge_growth": _growth([(each["rows"], each["judge_seconds"]) for each in found]),
        "sizes": found,
    }


def _sized(rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(WORKERS) as workers:
        folder, alone = Path(name) / "parts", Path(name) / "one"
        made = _deliver(folder, rows, workers)
        shutil.copytree(folder, alone)
        started = time.monotonic()
        planned = _step(folder, "plan", *((START + n * HOUR).isoformat() for n in range(BUSY_HOURS)))
        parts = list(workers.map(lambda one: _step(folder, "part", *one), planned["parts"]))
        mapped = time.monotonic() - started
        reduced = _step(folder, "reduce", *planned["plans"])
        by_parts, by_one = measured(ROOT, folder), measured(ROOT, alone)
    seconds = sum(part["seconds"] for part in parts)
    found = {
        "rows": by_parts["predictions"],
        "parts": len(parts),
        "bytes_a_line": sum(one["lines"] for one in made) / rows,
        "expansion": sum(one["lines"] for one in made) / sum(one["packed"] for one in made),
        "map_seconds": seconds,
        "map_elapsed": mapped,
        "part_peak_mb": max(part["peak_mb"] for part in parts),
        "part_rows_per_second": sum(part["rows"] for part in parts) / seconds,
        "reduce_seconds": reduced["seconds"],
        "reduce_peak_mb": reduced["peak_mb"],
        "judge_seconds": by_parts["seconds"],
        "judge_peak_mb": by_parts["peak_mb"],
        "one_seconds": by_one["seconds"],
        "one_peak_mb": by_one["peak_mb"],
        "verdict_equal": all(
            by_parts[each] == by_one[each] for each in ("predictions", "verdict", "p_values", "effects")
        ),
    }
    print(json.dumps(found))
    return found


def _deliver(folder: Path, rows: int, workers: ThreadPoolExecutor) -> list[dict[str, Any]]:
    registry, trained = FolderBucket(folder / "registry"), trained_registry()
    for key, body in trained.get_many(trained.keys("")):
        registry.put(key, body)
    an_hour = rows // BUSY_HOURS
    objects = -(-an_hour // AN_OBJECT)
    asked = [
        ((START + hour * HOUR).isoformat(), an_hour // objects + (number < an_hour % objects), number)
        for hour in range(BUSY_HOURS)
        for number in range(objects)
    ]
    return list(workers.map(lambda one: run_program(ROOT, "delivered.py", str(folder), *map(str, one)), asked))


def _step(folder: Path, *arguments: str) -> dict[str, Any]:
    return run_program(ROOT, "part.py", str(folder), *arguments)


def _growth(points: list[tuple[float, float]]) -> float:
    """Exponent of time in rows: least squares through the logarithms."""
    logs = [(math.log(rows), math.log(seconds)) for rows, seconds in points]
    x, y = (sum(column) / len(logs) for column in zip(*logs, strict=True))
    return sum((a - x) * (b - y) for a, b in logs) / sum((a - x) ** 2 for a, _ in logs)
