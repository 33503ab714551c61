"""Exact Shapley values of trees: each leaf's share for each column on its path, as an integral.

A leaf counts for a row with the product, over the columns on its path, of 1 or 0 (the column is known: does the row go
this way?) or of a share z (it isn't: so many of the fit's rows that came by went this way). A column's Shapley value
averages what it adds over all orders of the other ones. The weight of k known ones among d - 1 others is
k! (d - 1 - k)! / d!, which is the integral of t^k (1 - t)^(d - 1 - k) over [0, 1]. So the value is

    leaf * (o_i - z_i) * integral of the product over j != i of (z_j (1 - t) + o_j t).

The integrand is a polynomial of degree d - 1, for which Gauss-Legendre quadrature with d / 2 points is exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfheal.models.native.trees import Tree, Trees

type Floats = NDArray[np.float64]
type Places = NDArray[np.intp]

# So many numbers at a time: what fits into a small function's memory.
MOST_NUMBERS = 2_000_000


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf's value; for each column on its path the share z, and the way there: nodes and whether it goes left."""

    value: float
    shares: dict[int, float]
    ways: dict[int, list[tuple[int, bool]]]


class Forest:
    """Trees prepared for Shapley values; `columns` is how many there are. All trees have covers."""

    def __init__(self, trees: Trees, columns: int) -> None:
        self._columns = columns
        self._questions = _Questions(trees)
        leaves: list[Leaf] = []
        first = 0
        for tree in trees.trees:
            leaves.extend(_leaves(tree, first))
            first += len(tree.column)
        leaves.sort(key=lambda leaf: len(leaf.shares))
        self.base = trees.baseline + sum(leaf.value * float(np.prod(list(leaf.shares.values()))) for leaf in leaves)
        self._groups = [
            _Group(list(together)) for depth, together in groupby(leaves, lambda leaf: len(leaf.shares)) if depth
        ]
        self._step = max(1, MOST_NUMBERS // max((group.numbers for group in self._groups), default=1))

    def values(self, columns: Sequence[NDArray[Any]], rows: int) -> Floats:
        """What each column adds to the base, shape (rows, columns)."""
        added = np.zeros((rows, self._columns))
        for start in range(0, rows, self._step):
            chunk = added[start : start + self._step]
            goes_left = self._questions.answered([column[start : start + self._step] for column in columns], len(chunk))
            for group in self._groups:
                group.add(goes_left, chunk)
        return added


class _Group:
    """Leaves with as many columns on their paths: `n` of them with `depth` each."""

    def __init__(self, leaves: Sequence[Leaf]) -> None:
        self._size = (len(leaves), len(leaves[0].shares))
        ways = [way for leaf in leaves for way in leaf.ways.values()]
        self._nodes = np.array([node for way in ways for node, _ in way], dtype=np.intp)
        self._left = np.array([left for way in ways for _, left in way], dtype=bool)
        self._starts = np.cumsum([0, *map(len, ways[:-1])])
        self._columns: Places = np.array([list(leaf.shares) for leaf in leaves], dtype=np.intp)
        self._shares = np.array([list(leaf.shares.values()) for leaf in leaves])
        self._leaves = np.array([leaf.value for leaf in leaves])
        points, weights = np.polynomial.legendre.leggauss(ceil(self._size[1] / 2))
        self._points, self._weights = (points + 1) / 2, weights / 2

    @property
    def numbers(self) -> int:
        """How many numbers one row takes."""
        return len(self._nodes) + self._shares.size * len(self._points)

    def add(self, goes_left: NDArray[np.bool_], added: Floats) -> None:
        """Add what the columns of these leaves say; `goes_left` has shape (rows, nodes), `added` (rows, columns)."""
        rows, width = added.shape
        follows = goes_left[:, self._nodes] == self._left
        known = np.logical_and.reduceat(follows, self._starts, axis=1).reshape(rows, *self._size)
        factors = self._shares[..., None] * (1 - self._points) + known[..., None] * self._points
        others = (factors.prod(axis=2, keepdims=True) / factors) @ self._weights
        values = self._leaves[:, None] * (known - self._shares) * others
        places = np.arange(rows)[:, None, None] * width + self._columns
        added += np.bincount(places.ravel(), values.ravel(), minlength=rows * width).reshape(rows, width)


class _Questions:
    """What all nodes of a forest ask, by column: a threshold, or for each code whether it goes left."""

    def __init__(self, trees: Trees) -> None:
        asked: dict[int, list[tuple[int, Any, int]]] = {}
        self._nodes = 0
        for tree in trees.trees:
            for column, split, missing_left in zip(tree.column, tree.split, tree.missing_left, strict=True):
                asked.setdefault(column, []).append((self._nodes, split, missing_left))
                self._nodes += 1
        self._by_column = {
            column: (np.array([node for node, *_ in nodes]), _table(nodes, trees.sizes[column]))
            for column, nodes in asked.items()
        }

    def answered(self, columns: Sequence[NDArray[Any]], rows: int) -> NDArray[np.bool_]:
        """Whether each row goes left at each node, shape (rows, nodes)."""
        goes_left = np.empty((rows, self._nodes), dtype=bool)
        for column, (nodes, table) in self._by_column.items():
            values = columns[column]
            if isinstance(table, tuple):
                thresholds, missing_left = table
                is_missing = np.isnan(values)[:, None]
                goes_left[:, nodes] = np.where(is_missing, missing_left, values[:, None] <= thresholds)
            else:
                goes_left[:, nodes] = table[values]
        return goes_left


def _table(nodes: Sequence[tuple[int, Any, int]], size: int) -> tuple[Floats, NDArray[np.bool_]] | NDArray[np.bool_]:
    """Thresholds and the ways of missing values; or of codes, for each of them and for missing ones, a row."""
    missing_left = np.array([bool(left) for *_, left in nodes])
    if not size:
        return np.array([split for _, split, _ in nodes]), missing_left
    goes_left = np.array([[code in split for _, split, _ in nodes] for code in range(size - 1)]).reshape(size - 1, -1)
    return np.vstack([goes_left, missing_left])


def _leaves(tree: Tree, first: int) -> Iterator[Leaf]:
    """The leaves of a tree whose nodes are numbered from `first` on."""
    covers = _covers(tree)
    path: list[tuple[int, dict[int, float], dict[int, list[tuple[int, bool]]]]] = [(0 if tree.column else -1, {}, {})]
    while path:
        node, shares, ways = path.pop()
        if node < 0:
            yield Leaf(tree.leaves[~node], shares, ways)
            continue
        column = tree.column[node]
        for child, left in ((tree.right[node], False), (tree.left[node], True)):
            share = covers[child] / covers[node]
            path.append(
                (
                    child,
                    {**shares, column: shares.get(column, 1.0) * share},
                    {**ways, column: [*ways.get(column, ()), (first + node, left)]},
                )
            )


def _covers(tree: Tree) -> list[float]:
    """Of inner nodes by their number, and of leaf k at -1 - k, as a list counts from its end."""
    leaves = tree.covers or []
    covers = [*([0.0] * len(tree.column)), *reversed(leaves)]
    for node in range(len(tree.column) - 1, -1, -1):
        covers[node] = covers[tree.left[node]] + covers[tree.right[node]]
    return covers
