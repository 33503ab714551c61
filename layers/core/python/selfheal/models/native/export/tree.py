"""Trees of any library as the format has them: inner nodes and leaves numbered apart, parents before children."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Where a split divides missing from present values its threshold is infinite; JSON has no such number.
LARGEST = float(np.finfo(np.float64).max)

type Split = float | list[int]


@dataclass(frozen=True, slots=True)
class Node:
    """An inner node: the column that it asks, its split, the way of missing values, and its children."""

    column: int
    split: Split
    missing_left: bool
    left: "Node | Leaf"
    right: "Node | Leaf"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf: what it adds, and how many of the fit's rows were in it (or how much of their weight)."""

    value: float
    cover: float


@dataclass
class _Lists:
    column: list[int] = field(default_factory=list)
    split: list[Split] = field(default_factory=list)
    missing_left: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    leaves: list[float] = field(default_factory=list)
    covers: list[float] = field(default_factory=list)


def tree_of(root: Node | Leaf) -> dict[str, Any]:
    """The tree as the format has it. Covers of nothing are left out: no reasons are given by such a tree."""
    lists = _Lists()
    # Nodes still to be numbered, and where the number of each belongs.
    open_places: list[tuple[Node | Leaf, list[int] | None, int]] = [(root, None, 0)]
    while open_places:
        node, side, place = open_places.pop()
        if isinstance(node, Leaf):
            number = -1 - len(lists.leaves)
            lists.leaves.append(node.value)
            lists.covers.append(node.cover)
        else:
            number = len(lists.column)
            split = node.split
            lists.column.append(node.column)
            lists.split.append(split if isinstance(split, list) else max(-LARGEST, min(split, LARGEST)))
            lists.missing_left.append(int(node.missing_left))
            lists.left.append(0)
            lists.right.append(0)
            open_places += [(node.right, lists.right, number), (node.left, lists.left, number)]
        if side is not None:
            side[place] = number
    tree = {name: getattr(lists, name) for name in lists.__dataclass_fields__}
    if not all(cover > 0 for cover in lists.covers):
        del tree["covers"]
    return tree


def of_float32(threshold: float) -> float:
    """The largest float64 that is at most `threshold` once it is rounded to float32.

    Libraries that hold features in float32 compare the rounded number; with this threshold the number itself goes the
    same way. Halfway between two of float32's, rounding takes the one whose last bit is 0.
    """
    with np.errstate(over="ignore"):
        nearest = np.float32(threshold)
    largest = nearest if float(nearest) <= threshold else np.nextafter(nearest, np.float32(-np.inf))
    above = np.nextafter(largest, np.float32(np.inf))
    if not (math.isfinite(largest) and math.isfinite(above)):
        return float(largest)
    halfway = (float(largest) + float(above)) / 2
    return halfway if int(largest.view(np.uint32)) % 2 == 0 else math.nextafter(halfway, -math.inf)


def below_float32(threshold: float) -> float:
    """The same for a split that sends left what is below the threshold, not on it."""
    return of_float32(float(np.nextafter(np.float32(threshold), np.float32(-np.inf))))


def weighted(trees: Sequence[dict[str, Any]], weight: float) -> list[dict[str, Any]]:
    """The trees with their leaves multiplied by a weight."""
    return [{**tree, "leaves": [weight * leaf for leaf in tree["leaves"]]} for tree in trees]
