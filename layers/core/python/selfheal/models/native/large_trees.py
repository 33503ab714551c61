"""Trees of more than 64 leaves: every row goes down from the roots, all trees or all rows of it a level at a time.

Each column's values are first numbered by the interval between thresholds that they are in: a node compares two
small integers. A missing value is below all intervals where it goes left, and above all where it goes right: a column
is there twice, once for the nodes that send it left and once for those that send it right.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from selfheal.models.native.trees import Tree

type Floats = NDArray[np.float64]
type Numbers = NDArray[np.intp]

# Rows at a time: what stays in the processor's cache.
CHUNK = 2048
ABOVE_ALL = np.iinfo(np.intp).max


class LargeTrees:
    """A forest prepared for rows; `sizes` holds for each column the number of its codes, 0 where it is numeric."""

    def __init__(self, trees: Sequence["Tree"], sizes: Sequence[int]) -> None:
        self._sizes = sizes
        self._thresholds = _thresholds(trees, sizes)
        # Nodes of all trees, then leaves of all trees; a leaf's children are itself.
        inner = sum(len(tree.column) for tree in trees)
        total = inner + sum(len(tree.leaves) for tree in trees)
        self._column, self._cut = np.zeros(total, dtype=np.intp), np.zeros(total, dtype=np.intp)
        self._children = np.repeat(np.arange(total, dtype=np.intp), 2)
        self._leaves = np.zeros(total)
        self._roots, self._depths = np.zeros(len(trees), dtype=np.intp), [_depth(tree) for tree in trees]
        self._sets: list[NDArray[np.bool_]] = []
        self._codes = 0
        self._set_of = np.full(total, -1, dtype=np.intp)
        node, leaf = 0, inner
        for number, tree in enumerate(trees):
            self._roots[number] = node if tree.column else leaf
            self._add(tree, node, leaf)
            node, leaf = node + len(tree.column), leaf + len(tree.leaves)
        self._goes_left = np.concatenate(self._sets) if self._sets else np.zeros(0, dtype=bool)
        # A list would be made an array anew for each row.
        self._edges = {column: np.array(thresholds) for column, thresholds in self._thresholds.items()}

    def _add(self, tree: "Tree", node: int, leaf: int) -> None:
        own = slice(node, node + len(tree.column))
        missing_right = 1 - np.array(tree.missing_left, dtype=np.intp)
        self._column[own] = 2 * np.array(tree.column, dtype=np.intp) + missing_right
        for place, (column, split) in enumerate(zip(tree.column, tree.split, strict=True), start=node):
            if isinstance(split, frozenset):
                self._set_of[place] = self._codes
                codes = [code in split for code in range(self._sizes[column] - 1)]
                self._sets.append(np.array([*codes, bool(tree.missing_left[place - node])]))
                self._codes += self._sizes[column]
            else:
                self._cut[place] = bisect_left(self._thresholds[column], split)
        for side, children in enumerate((tree.left, tree.right)):
            found = np.array(children, dtype=np.intp)
            self._children[2 * node + side : 2 * own.stop + side : 2] = np.where(
                found >= 0, node + found, leaf - 1 - found
            )
        self._leaves[leaf : leaf + len(tree.leaves)] = tree.leaves

    def score(self, baseline: float, cells: Sequence[Any]) -> float:
        """The baseline and the leaf of each tree for one row, added up in the order of the trees."""
        columns = [np.array([cell]) for cell in cells]
        numbers, nodes = self._numbered(columns, 1).ravel(), self._roots
        for _ in range(max(self._depths, default=0)):
            nodes = self._below(nodes, numbers[self._column[nodes]])
        score = baseline
        for leaf in self._leaves[nodes].tolist():
            score = score + leaf
        return score

    def scores(self, baseline: float, columns: Sequence[NDArray[Any]], rows: int) -> Floats:
        """The same for many rows, shape (rows,), with the same bits."""
        score = np.full(rows, baseline)
        for start in range(0, rows, CHUNK):
            chunk = score[start : start + CHUNK]
            numbers = self._numbered([column[start : start + CHUNK] for column in columns], len(chunk)).ravel()
            place = np.arange(len(chunk), dtype=np.intp)
            for root, depth in zip(self._roots.tolist(), self._depths, strict=True):
                nodes = np.full(len(chunk), root, dtype=np.intp)
                for _ in range(depth):
                    asked = self._column.take(nodes, mode="clip")
                    asked *= len(chunk)
                    asked += place
                    nodes = self._below(nodes, numbers.take(asked, mode="clip"))
                chunk += self._leaves.take(nodes, mode="clip")
        return score

    def _below(self, nodes: Numbers, values: Numbers) -> Numbers:
        # Places are in range; "clip" spares numpy a check that takes longer than the look-up.
        goes_right = values > self._cut.take(nodes, mode="clip")
        if len(self._goes_left):
            of_codes = np.flatnonzero(self._set_of[nodes] >= 0)
            goes_right[of_codes] = ~self._goes_left[self._set_of[nodes[of_codes]] + values[of_codes]]
        below = 2 * nodes
        below += goes_right
        return self._children.take(below, mode="clip")

    def _numbered(self, columns: Sequence[NDArray[Any]], rows: int) -> Numbers:
        """Each column's intervals or codes, twice: shape (2 * columns, rows)."""
        numbers = np.zeros((2 * len(columns), rows), dtype=np.intp)
        for index, thresholds in self._edges.items():
            found = np.searchsorted(thresholds, columns[index])
            is_missing = np.isnan(columns[index])
            numbers[2 * index] = np.where(is_missing, -1, found)
            numbers[2 * index + 1] = np.where(is_missing, ABOVE_ALL, found)
        for index, size in enumerate(self._sizes):
            if size:
                numbers[2 * index : 2 * index + 2] = columns[index]
        return numbers


def _thresholds(trees: Sequence["Tree"], sizes: Sequence[int]) -> dict[int, list[Any]]:
    found: dict[int, set[Any]] = {}
    for tree in trees:
        for column, split in zip(tree.column, tree.split, strict=True):
            if not sizes[column]:
                found.setdefault(column, set()).add(split)
    return {column: sorted(values) for column, values in found.items()}


def _depth(tree: "Tree") -> int:
    """How many nodes the longest path has; parents come before children."""
    depth, deepest = [1] * len(tree.column), 0
    for node, children in enumerate(zip(tree.left, tree.right, strict=True)):
        deepest = max(deepest, depth[node])
        for child in children:
            if child >= 0:
                depth[child] = depth[node] + 1
    return deepest
