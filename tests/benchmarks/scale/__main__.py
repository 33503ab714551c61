"""A day through summaries: each hour by one of two workers, then a run that reads summaries: build/bench/scale.json.

The hours are the parts of the map; the run that adds their summaries and judges is the reduce.
"""

import json
import math
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.benchmarks.scale.day import ROOT, measured, run_program, write_day

OUT = ROOT / "build" / "bench" / "scale.json"
SIZES = (600_000, 2_400_000, 10_000_000)
WORKERS = 2
TOLD = ("rows", "part_peak_mb", "part_rows_per_second", "judge_seconds", "judge_peak_mb")


def main() -> None:
    found = [_sized(rows) for rows in SIZES]
    largest = found[-1]
    result = {
        **{name: largest[name] for name in TOLD},
        "verdict_equal": all(each["verdict_equal"] for each in found),
        "map_growth": _growth([(each["rows"], each["map_seconds"]) for each in found]),
        "judge_growth": _growth([(each["rows"], each["judge_seconds"]) for each in found]),
        "sizes": found,
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in result.items() if name != "sizes"}, indent=2))


def _sized(rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Labels come later than a day, as where there are so many predictions.
        write_day(folder, rows, labels_an_hour=0)
        by_rows = measured(ROOT, folder, keep=False)
        with ThreadPoolExecutor(WORKERS) as workers:
            parts = list(workers.map(lambda hour: run_program(ROOT, "part.py", str(folder), str(hour)), range(24)))
        by_summaries = measured(ROOT, folder)
    times = {"a part": parts[0], "from rows": by_rows, "from summaries": by_summaries}
    print(f"{rows:12,} rows:", *(f"{name} {found['seconds']:.2f} s" for name, found in times.items()))
    return {
        "rows": by_rows["predictions"],
        "map_seconds": sum(part["seconds"] for part in parts),
        "part_peak_mb": max(part["peak_mb"] for part in parts),
        "part_rows_per_second": sum(part["rows"] for part in parts) / sum(part["seconds"] for part in parts),
        "rows_seconds": by_rows["seconds"],
        "rows_peak_mb": by_rows["peak_mb"],
        "judge_seconds": by_summaries["seconds"],
        "judge_peak_mb": by_summaries["peak_mb"],
        "verdict_equal": all(by_rows[name] == by_summaries[name] for name in ("verdict", "p_values", "effects")),
    }


def _growth(points: list[tuple[float, float]]) -> float:
    """Exponent of time in rows: least squares through the logarithms."""
    logs = [(math.log(rows), math.log(seconds)) for rows, seconds in points]
    x, y = (sum(column) / len(logs) for column in zip(*logs, strict=True))
    return sum((a - x) * (b - y) for a, b in logs) / sum((a - x) ** 2 for a, _ in logs)


if __name__ == "__main__":
    main()
