"""Rows made from documents alone: every feature drawn from the values at which a member of the blend changes."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfheal.models.native.edges import EXTREMES, UNSEEN, edges, sides

type Values = NDArray[Any]

ROWS = 4000
MISSING_SHARE = 0.1
SEED = 0


def probe_columns(documents: Sequence[dict[str, Any]]) -> dict[str, Values]:
    """Columns by feature, shape (ROWS,), as `NativeModel.probabilities_of` takes them; the same for the same documents.

    Missing and unseen values are among them, and extreme ones, at most one in a row.
    """
    generator = np.random.default_rng(SEED)
    features = documents[0]["features"]
    blocks = [block for document in documents for block in document["blocks"]]
    pools = _numbers(documents, blocks)
    extremes = [(name, value) for name in pools for value in EXTREMES]
    pools |= {
        feature["name"]: np.array(_categories(index, blocks), dtype=object)
        for index, feature in enumerate(features)
        if feature["kind"] == "category"
    }
    columns = {name: _drawn(pool, generator) for name, pool in pools.items()}
    for place, change in enumerate(generator.permutation(len(extremes))[: ROWS // 2]):
        name, value = extremes[change]
        columns[name][2 * place] = value
    return columns


def _numbers(documents: Sequence[dict[str, Any]], blocks: Sequence[dict[str, Any]]) -> dict[str, Values]:
    """For each numeric feature the values at and beside its edges, and ordinary ones."""
    features = documents[0]["features"]
    found = {feature["name"]: [0.0, 1.0] for feature in features if feature["kind"] == "number"}
    for name, edge in sorted({edge for document in documents for edge in edges(document)}):
        found[name].extend(sides(edge))
    for block in blocks:
        if block["kind"] == "number":
            found[features[block["feature"]]["name"]].extend(_around(block))
    return {name: np.array(values) for name, values in found.items()}


def _around(block: dict[str, Any]) -> Iterator[float]:
    """Ordinary values of a feature that is only scaled, which has no edge."""
    for step in block["steps"]:
        if step["kind"] == "standardise":
            yield from (step["mean"] + spread * step["scale"] for spread in (-2.0, -0.5, 0.0, 0.7, 3.0))


def _categories(index: int, blocks: Sequence[dict[str, Any]]) -> list[str]:
    known = [
        block["numbers"] if block["kind"] == "look_up" else block["codes"]
        for block in blocks
        if block["kind"] != "number" and block["feature"] == index
    ]
    return ["", UNSEEN, *dict.fromkeys(value for codes in known for value in codes)]


def _drawn(pool: Values, generator: np.random.Generator) -> Values:
    values = pool[generator.integers(len(pool), size=ROWS)]
    values[generator.random(ROWS) < MISSING_SHARE] = None if values.dtype == object else np.nan
    return values
