"""Trees of more than 64 leaves: every row goes down from the roots, all trees or all rows of it a level at a time.

Each column's values are first numbered by the interval between thresholds that they are in: a node compares two
small integers. A missing value is below all intervals where it goes left, and above all where it goes right: a column
is there twice, once for the nodes that send it left and once for those that send it right.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfheal.models.native.trees.tree import Tree

type Floats = NDArray[np.float64]
type Numbers = NDArray[np.intp]

# Rows at a time: with fewer numpy's own work for each call is most of it.
CHUNK = 10_000
# How many levels lie between two looks at who has come to a leaf, and of how many going on it pays to let these go.
PAUSE, SHARE = 2, 0.7


@dataclass(frozen=True, slots=True)
class Levels:
    """How far below a root the nearest and the deepest leaf are."""

    nearest: int
    deepest: int


class LargeTrees:
    """A forest prepared for rows; `sizes` holds for each column the number of its codes, 0 where it is numeric.

    Nodes and leaves of all trees have places in one table, where siblings are neighbours, the left one first. A leaf's
    first child is itself, and nothing is above its cut.
    """

    def __init__(self, trees: Sequence[Tree], sizes: Sequence[int]) -> None:
        self._sizes = sizes
        thresholds = _thresholds(trees, sizes)
        # A list would be made an array anew for each row.
        self._edges = {column: np.array(found) for column, found in thresholds.items()}
        most = max([*map(len, thresholds.values()), *sizes], default=0)
        self._type = np.min_scalar_type(most + 2)
        self._above_all = np.iinfo(self._type).max
        sizes_of = [len(tree.column) + len(tree.leaves) for tree in trees]
        total = sum(sizes_of)
        self._column, self._first = np.zeros(total, dtype=np.intp), np.arange(total)
        self._cut, self._leaves = np.full(total, self._above_all, dtype=self._type), np.zeros(total)
        # Where the codes that a node sends left begin among those of all nodes; -1 where it asks for a number.
        self._set_at = np.full(total, -1, dtype=np.intp)
        sets: list[bool] = []
        self._roots = np.cumsum([0, *sizes_of], dtype=np.intp)[:-1]
        self._levels_of = [
            self._add(tree, root, thresholds, sets) for tree, root in zip(trees, self._roots.tolist(), strict=True)
        ]
        self._levels = Levels(
            min((of.nearest for of in self._levels_of), default=0),
            max((of.deepest for of in self._levels_of), default=0),
        )
        self._goes_left = np.array(sets, dtype=bool)
        self._is_inner = self._first != np.arange(total)

    def _add(self, tree: Tree, root: int, thresholds: Mapping[int, list[Any]], sets: list[bool]) -> Levels:
        free = root + 1
        leaves_at: list[int] = []
        open_places = [(0 if tree.column else -1, root, 0)]
        for node, place, level in open_places:
            if node < 0:
                self._leaves[place] = tree.leaves[~node]
                leaves_at.append(level)
                continue
            column, split, missing_left = tree.column[node], tree.split[node], tree.missing_left[node]
            self._column[place], self._first[place] = 2 * column + 1 - missing_left, free
            if isinstance(split, frozenset):
                self._set_at[place] = len(sets)
                sets += [*(code in split for code in range(self._sizes[column] - 1)), bool(missing_left)]
            else:
                self._cut[place] = bisect_left(thresholds[column], split) + 1
            open_places += [(tree.left[node], free, level + 1), (tree.right[node], free + 1, level + 1)]
            free += 2
        return Levels(min(leaves_at), max(leaves_at))

    def score(self, baseline: float, cells: Sequence[Any]) -> float:
        """The baseline and the leaf of each tree for one row, added up in the order of the trees."""
        numbers = self._numbered([np.array([cell]) for cell in cells], 1)
        ends = self._ends(self._roots, self._levels, numbers, np.zeros(len(self._roots), dtype=np.intp))
        score = baseline
        for leaf in self._leaves[ends].tolist():
            score = score + leaf
        return score

    def scores(self, baseline: float, columns: Sequence[NDArray[Any]], rows: int) -> Floats:
        """The same for many rows, shape (rows,), with the same bits."""
        score = np.full(rows, baseline)
        for start in range(0, rows, CHUNK):
            chunk = score[start : start + CHUNK]
            numbers = self._numbered([column[start : start + CHUNK] for column in columns], len(chunk))
            places = np.arange(len(chunk)) * (2 * len(columns))
            for root, levels in zip(self._roots.tolist(), self._levels_of, strict=True):
                ends = self._ends(np.full(len(chunk), root), levels, numbers, places)
                chunk += self._leaves.take(ends, mode="clip")
        return score

    def _ends(self, nodes: Numbers, levels: Levels, numbers: NDArray[Any], places: Numbers) -> Numbers:
        """The leaves that lie below nodes, for rows whose numbers begin at these places.

        The deepest are three times as far down as most rows have to go: those that are there are let go on the way.
        """
        ends, still = nodes.copy(), np.arange(len(nodes))
        for level in range(levels.deepest):
            if level > levels.nearest and (level - levels.nearest) % PAUSE == 0:
                going = np.flatnonzero(self._is_inner.take(nodes, mode="clip"))
                if len(going) < SHARE * len(nodes):
                    ends[still] = nodes
                    still, places, nodes = (of_all.take(going, mode="clip") for of_all in (still, places, nodes))
            nodes = self._below(nodes, numbers, places)
        ends[still] = nodes
        return ends

    def _below(self, nodes: Numbers, numbers: NDArray[Any], places: Numbers) -> Numbers:
        """The children to which rows go whose numbers begin at these places."""
        # Places are in range; "clip" spares numpy a check that takes longer than the look-up.
        asked = self._column.take(nodes, mode="clip")
        asked += places
        values = numbers.take(asked, mode="clip")
        goes_right = values > self._cut.take(nodes, mode="clip")
        if len(self._goes_left):
            of_codes = np.flatnonzero(self._set_at[nodes] >= 0)
            goes_right[of_codes] = ~self._goes_left[self._set_at[nodes[of_codes]] + values[of_codes]]
        below = self._first.take(nodes, mode="clip")
        below += goes_right
        return below

    def _numbered(self, columns: Sequence[NDArray[Any]], rows: int) -> NDArray[Any]:
        """Each row's intervals or codes, each twice, one row after another: shape (rows * 2 * columns,)."""
        numbers = np.zeros((rows, 2 * len(columns)), dtype=self._type)
        for index, edges in self._edges.items():
            found = np.searchsorted(edges, columns[index]) + 1
            is_missing = np.isnan(columns[index])
            numbers[:, 2 * index] = np.where(is_missing, 0, found)
            numbers[:, 2 * index + 1] = np.where(is_missing, self._above_all, found)
        for index, size in enumerate(self._sizes):
            if size:
                numbers[:, 2 * index] = numbers[:, 2 * index + 1] = columns[index]
        return numbers.ravel()


def _thresholds(trees: Sequence[Tree], sizes: Sequence[int]) -> dict[int, list[Any]]:
    found: dict[int, set[Any]] = {}
    for tree in trees:
        for column, split in zip(tree.column, tree.split, strict=True):
            if not sizes[column]:
                found.setdefault(column, set()).add(split)
    return {column: sorted(values) for column, values in found.items()}
