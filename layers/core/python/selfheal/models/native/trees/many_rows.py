"""Boosted trees over many rows: QuickScorer (see `lanes`), its bit masks merged by column.

What the nodes of several trees rule out by one column depends only on the interval between thresholds that the value is
in, so it is one look-up for each column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from selfheal.models.native.trees.lanes import Leaves, Node, lane_bits, nodes_by_column
from selfheal.models.native.trees.tree import Tree

WORD = 64
ALL_LEAVES = np.uint64(2**WORD - 1)
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

    def left_over(self, nodes: Sequence[Node]) -> NDArray[np.uint64]:
        """The leaves that these nodes leave over, shape (size,)."""
        masks = np.array([mask for *_, mask in nodes], dtype=np.uint64)
        if self.thresholds is None:
            left_over = np.full(self.size, ALL_LEAVES)
            for (split, *_), mask in zip(nodes, masks, strict=True):
                left_over[[code not in split for code in range(self.size)]] &= ~mask
        else:
            ruled_out = np.zeros(self.size, dtype=np.uint64)
            first = np.searchsorted(self.thresholds, [split for split, *_ in nodes]) + 1
            np.bitwise_or.at(ruled_out, first, masks)
            left_over = ~np.bitwise_or.accumulate(ruled_out)
        missing_right = [not missing_left for _, missing_left, _ in nodes]
        left_over[-1] = ~np.bitwise_or.reduce(masks, where=missing_right)
        return left_over


@dataclass(frozen=True, slots=True)
class MaskedGroup:
    """Trees that share a word: the leaves that a column's intervals leave over, and each tree's leaves by place."""

    lane: int
    masks: Mapping[int, NDArray[np.uint64]]
    leaves: Sequence[NDArray[np.float64]]

    @classmethod
    def of(cls, trees: Sequence[Tree], intervals: Mapping[int, Intervals], lane: int) -> Self:
        """Prepared once for all rows to come."""
        leaves = [Leaves.of(tree) for tree in trees]
        nodes = nodes_by_column(trees, leaves, lane)
        masks = {column: intervals[column].left_over(asked) for column, asked in nodes.items()}
        return cls(lane, masks, [np.array(of_tree.values) for of_tree in leaves])

    def places(self, positions: Mapping[int, NDArray[np.intp]], rows: int) -> NDArray[np.uint8]:
        """The place from the left of each tree's leaf, shape (rows, lanes); `positions` are each column's intervals."""
        left_over, kept = np.full(rows, ALL_LEAVES, dtype="<u8"), np.empty(rows, dtype=np.uint64)
        for column, masks in self.masks.items():
            # Positions are in range; "clip" spares numpy a check that takes longer than the look-up.
            masks.take(positions[column], out=kept, mode="clip")
            left_over &= kept
        lanes = left_over.view(f"<u{self.lane // 8}").reshape(rows, -1)
        return np.asarray(np.bitwise_count((lanes & -lanes) - lanes.dtype.type(1)))


class MaskedTrees:
    """A forest prepared for many rows; `sizes` holds for each column the number of its codes, 0 where it is numeric."""

    def __init__(self, trees: Sequence[Tree], sizes: Sequence[int]) -> None:
        lane = lane_bits(trees)
        self._intervals = _intervals(trees, sizes)
        together = range(0, len(trees), WORD // lane)
        self._groups = [
            MaskedGroup.of(trees[first : first + together.step], self._intervals, lane) for first in together
        ]

    def scores(self, baseline: float, columns: Sequence[NDArray[Any]], rows: int) -> NDArray[np.float64]:
        """The baseline and the leaf of each tree, added up in the order of the trees; shape (rows,)."""
        score = np.full(rows, baseline)
        for start in range(0, rows, CHUNK):
            chunk = score[start : start + CHUNK]
            positions = {index: of.of(columns[index][start : start + CHUNK]) for index, of in self._intervals.items()}
            for group in self._groups:
                places = group.places(positions, len(chunk))
                for number, leaves in enumerate(group.leaves):
                    chunk += leaves.take(places[:, number], mode="clip")
        return score


def _intervals(trees: Sequence[Tree], sizes: Sequence[int]) -> dict[int, Intervals]:
    thresholds: dict[int, set[Any]] = {}
    for tree in trees:
        for index, split in zip(tree.column, tree.split, strict=True):
            thresholds.setdefault(index, set()).add(split)
    return {
        index: Intervals(sizes[index], None) if sizes[index] else Intervals(len(found) + 2, np.array(sorted(found)))
        for index, found in thresholds.items()
    }
