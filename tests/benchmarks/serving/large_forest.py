"""`python -m tests.benchmarks.serving.large_forest`: 1,000 trees of 255 leaves beside LightGBM's own evaluation.

The same model on the same rows, each with one thread and in turn; the answers have to be the same to the last bit.
"""

import json
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from selfheal.models.native.export.columns import Column
from selfheal.models.native.export.lightgbm_trees import lightgbm_trees
from selfheal.models.native.trees import Trees
from tests.benchmarks.environments import BUILD

OUT = BUILD / "large-forest.json"
TREES, LEAVES, COLUMNS, TRAINED_ON, ROWS = 1000, 255, 10, 20_000, 10_000
ROUNDS, ONE_ROW = 5, 200


def main() -> None:
    """Fit, compare, tell."""
    rows, model = _fitted()
    blocks = [Column({"kind": "number", "feature": index, "steps": []}) for index in range(COLUMNS)]
    trees = Trees.parse(lightgbm_trees(model, blocks)[0], "trees", [0] * COLUMNS)
    columns = [np.ascontiguousarray(column) for column in rows.T]
    ours, theirs = _in_turn(lambda: trees.many(columns, len(rows)), lambda: model.booster_.predict(rows, num_threads=1))
    row = rows[0].tolist()
    result = {
        "rows_per_second": len(rows) / ours,
        "rows_per_second_of_lightgbm": len(rows) / theirs,
        "ratio": theirs / ours,
        "one_row_ms": min(_seconds(lambda: trees.one(row)) for _ in range(ONE_ROW)) * 1000,
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))
    print("wanted: rows_per_second at least 50,000, one_row_ms at most 1")


def _fitted() -> tuple[NDArray[np.float64], Any]:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(TRAINED_ON, COLUMNS))
    rows[rng.random(TRAINED_ON) < 0.1, 2] = np.nan
    target = np.sin(2 * rows[:, 0]) * rows[:, 1] + (rows[:, 3] > 0) * rows[:, 4] + rng.normal(size=TRAINED_ON) / 2
    model = lightgbm.LGBMRegressor(n_estimators=TREES, num_leaves=LEAVES, n_jobs=1, verbose=-1, random_state=0)
    return rows[:ROWS], model.fit(rows, target)


def _in_turn(ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[float, float]:
    """Median seconds of both."""
    if not np.array_equal(ours(), theirs()):
        raise AssertionError("the answers differ")
    rounds = [(_seconds(ours), _seconds(theirs)) for _ in range(ROUNDS)]
    return median(mine for mine, _ in rounds), median(other for _, other in rounds)


def _seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
