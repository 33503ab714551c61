"""Where a model bends or jumps, read from its document: the values on which two evaluations differ, if they do."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

# Beyond, the float on the other side is infinite, which no contract lets in.
LARGEST_EDGE = 1e300
# What no encoder has seen, and the numbers on which arithmetic goes wrong first.
UNSEEN = "\N{SNOWMAN} a category that training has not seen"
EXTREMES = (0.0, -0.0, 5e-324, 1e-300, 1e300, -1e300, 1.0, -1.0)


def edges(document: dict[str, Any]) -> list[tuple[str, float]]:
    """Every value of a feature at which the model bends or jumps: a tree's threshold, a quantile's knot."""
    found: set[tuple[str, float]] = set()
    names = [feature["name"] for feature in document["features"]]
    direct: dict[int, str] = {}
    column = 0
    for block in document["blocks"]:
        name = names[block["feature"]]
        if block["kind"] == "number":
            found.update((name, knot) for step in block["steps"][:2] for knot in step.get("knots", ()))
            if not block["steps"]:
                direct[column] = name
        column += width(block)
    for tree, read in _trees(document["estimator"], range(column)):
        split_columns = [(read[asked], split) for asked, split in zip(tree["column"], tree["split"], strict=True)]
        found.update((direct[asked], split) for asked, split in split_columns if asked in direct)
    return sorted((name, edge) for name, edge in found if abs(edge) < LARGEST_EDGE)


def sides(edge: float) -> tuple[float, float, float]:
    """The edge and one float either side of it."""
    return math.nextafter(edge, -math.inf), edge, math.nextafter(edge, math.inf)


def width(block: dict[str, Any]) -> int:
    """How many columns a block makes."""
    return int(block["size"]) if block["kind"] == "one_hot" else 1


def _trees(estimator: dict[str, Any], read: Sequence[int]) -> Iterator[tuple[dict[str, Any], Sequence[int]]]:
    """Every tree that reads columns of blocks, and which: those that its estimator reads."""
    while "estimator" in estimator:
        estimator = estimator["estimator"]
    for tree in estimator.get("trees", ()):
        yield tree, read
    for output in estimator.get("outputs", ()):
        yield from _trees(output, read)
    # Later layers read what the first one makes.
    for layer in estimator.get("layers", ())[:1]:
        for part in layer.get("estimators", ()):
            yield from _trees(part["estimator"], [read[column] for column in part["columns"]])
    first = 0
    for part in estimator.get("parts", ()):
        yield from _trees(part["estimator"], read[first : first + part["columns"]])
        first += part["columns"]
