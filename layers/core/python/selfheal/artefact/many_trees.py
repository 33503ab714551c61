"""Boosted trees over many rows: QuickScorer (see `selfheal.artefact.leaves`), its bit masks merged by column.

What all nodes of one column rule out depends only on the interval between thresholds that the value is in, so it is one
look-up for each column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from selfheal.artefact.leaves import Leaves

if TYPE_CHECKING:
    from selfheal.artefact.trees import Tree

ALL_LEAVES = np.uint64(2**64 - 1)
ONE = np.uint64(1)
# So many rows at a time stay in the processor's cache.
CHUNK = 8192


@dataclass(frozen=True, slots=True)
class Intervals:
    """The intervals of one column, numbered from 0; the last one is for missing values.

    Numeric: those between its `thresholds`. Of codes: `thresholds` is None, and a code is its own interval.
    """

    size: int
    thresholds: NDArray[np.float64] | None

    def of(self, column: NDArray[Any]) -> NDArray[np.intp]:
        """Which interval each value is in, shape (n,)."""
        if self.thresholds is None:
            return column
        return np.where(np.isnan(column), self.size - 1, np.searchsorted(self.thresholds, column))

    def saying_no(self, split: Any, missing_left: int) -> NDArray[np.bool_]:
        """Which intervals go right at a node, shape (size,)."""
        if self.thresholds is None:
            no = np.array([code not in split for code in range(self.size)])
        else:
            no = np.arange(self.size) > np.searchsorted(self.thresholds, split)
        no[-1] = not missing_left
        return no


@dataclass(frozen=True, slots=True)
class MaskedTree:
    """For each column that a tree asks about: the leaves that its intervals leave over. `leaves` from left to right."""

    masks: dict[int, NDArray[np.uint64]]
    leaves: NDArray[np.float64]


class MaskedTrees:
    """A forest prepared for many rows; `sizes` holds for each column the number of its codes, 0 where it is numeric."""

    def __init__(self, trees: Sequence["Tree"], sizes: Sequence[int]) -> None:
        self._intervals = _intervals(trees, sizes)
        self._trees = [_masked(tree, self._intervals) for tree in trees]

    def scores(self, baseline: float, columns: Sequence[NDArray[Any]], rows: int) -> NDArray[np.float64]:
        """The baseline and the leaf of each tree, added up in the order of the trees; shape (rows,)."""
        score = np.full(rows, baseline)
        for start in range(0, rows, CHUNK):
            chunk = slice(start, start + CHUNK)
            positions = {index: of.of(columns[index][chunk]) for index, of in self._intervals.items()}
            for tree in self._trees:
                score[chunk] += _leaf_values(tree, positions, len(score[chunk]))
        return score


def _leaf_values(tree: MaskedTree, positions: dict[int, NDArray[np.intp]], rows: int) -> NDArray[np.float64]:
    left_over, kept = np.full(rows, ALL_LEAVES), np.empty(rows, dtype=np.uint64)
    for index, masks in tree.masks.items():
        # Positions are in range; "clip" spares numpy a check that takes longer than the look-up.
        masks.take(positions[index], out=kept, mode="clip")
        left_over &= kept
    first = np.bitwise_count((left_over & -left_over) - ONE)
    return tree.leaves.take(first, mode="clip")


def _intervals(trees: Sequence["Tree"], sizes: Sequence[int]) -> dict[int, Intervals]:
    thresholds: dict[int, set[Any]] = {}
    for tree in trees:
        for index, split in zip(tree.column, tree.split, strict=True):
            thresholds.setdefault(index, set()).add(split)
    return {
        index: Intervals(sizes[index], None) if sizes[index] else Intervals(len(found) + 2, np.array(sorted(found)))
        for index, found in thresholds.items()
    }


def _masked(tree: "Tree", intervals: dict[int, Intervals]) -> MaskedTree:
    masks = {index: np.full(intervals[index].size, ALL_LEAVES) for index in tree.column}
    leaves = Leaves.of(tree)
    for node, index in enumerate(tree.column):
        no = intervals[index].saying_no(tree.split[node], tree.missing_left[node])
        masks[index][no] &= ~np.uint64(leaves.on_the_left[node])
    return MaskedTree(masks, np.array(leaves.values))
