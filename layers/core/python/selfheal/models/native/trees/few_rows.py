"""Boosted trees over few rows, in plain Python: QuickScorer (see `lanes`) on one long integer.

Each tree has a lane of bits in it. What the nodes of all trees rule out by one column depends only on the interval
between thresholds that the value is in, so it is one look-up and one OR for each column, however many trees there are.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from operator import itemgetter
from struct import Struct
from typing import Any

from selfheal.models.native.trees.lanes import Leaves, Node, lane_bits, nodes_by_column
from selfheal.models.native.trees.tree import Tree

# What `struct` calls a lane of so many bits.
NUMBERS = {8: "B", 16: "H", 32: "I", 64: "Q"}
# About what the tables of a forest may take; beyond, its trees share several integers.
TABLE_BITS = 8 * 16 * 1024 * 1024
FEWEST_TREES = 8


class PlainTrees:
    """A forest prepared for few rows; `sizes` holds for each column the number of its codes, 0 where it is numeric."""

    def __init__(self, trees: Sequence[Tree], sizes: Sequence[int]) -> None:
        lane = lane_bits(trees)
        nodes = sum(len(tree.column) for tree in trees)
        step = max(FEWEST_TREES, TABLE_BITS // (lane * max(nodes, 1)))
        self._groups = [_Group(trees[start : start + step], sizes, lane) for start in range(0, len(trees), step)]

    def score(self, baseline: float, cells: Sequence[Any]) -> float:
        """The baseline and the leaf of each tree for one row, added up in the order of the trees."""
        score = baseline
        for group in self._groups:
            for leaves, bit in zip(group.leaves, group.bits(cells), strict=True):
                score = score + leaves[bit]
        return score

    def leaves(self, cells: Sequence[Any]) -> list[float]:
        """The leaf of each tree for one row, in the order of the trees."""
        return [
            leaves[bit] for group in self._groups for leaves, bit in zip(group.leaves, group.bits(cells), strict=True)
        ]


class _Group:
    """Trees that share an integer. `leaves` has for each tree the leaves' values by their bits."""

    def __init__(self, trees: Sequence[Tree], sizes: Sequence[int], lane: int) -> None:
        ordered = [Leaves.of(tree) for tree in trees]
        self.leaves = [{1 << place: value for place, value in enumerate(leaves.values)} for leaves in ordered]
        self._lanes = Struct(f"<{len(trees)}{NUMBERS[lane]}")
        self._ones = sum(1 << lane * tree for tree in range(len(trees)))
        self._all = self._ones * ((1 << lane) - 1)
        nodes = nodes_by_column(trees, ordered, lane)
        self._numbers = [(column, *_intervals(asked)) for column, asked in nodes.items() if not sizes[column]]
        self._codes = [(column, _Codes(asked, sizes[column])) for column, asked in nodes.items() if sizes[column]]

    def bits(self, cells: Sequence[Any]) -> tuple[int, ...]:
        """For each tree the bit of the row's leaf."""
        ruled_out = 0
        for column, thresholds, masks in self._numbers:
            x = cells[column]
            ruled_out |= masks[-1 if math.isnan(x) else bisect_left(thresholds, x)]
        for column, codes in self._codes:
            ruled_out |= codes[cells[column]]
        left_over = self._all ^ ruled_out
        # A leaf is left over in every lane, so that the subtraction borrows from no other lane.
        lowest = left_over & (left_over ^ (left_over - self._ones))
        return self._lanes.unpack(lowest.to_bytes(self._lanes.size, "little"))


def _intervals(nodes: list[Node]) -> tuple[list[Any], list[int]]:
    """The thresholds of a numeric column, and what a value in each interval rules out, at the end a missing one."""
    thresholds: list[Any] = []
    masks, so_far, missing = [0], 0, 0
    for threshold, missing_left, mask in sorted(nodes, key=itemgetter(0)):
        so_far |= mask
        if not missing_left:
            missing |= mask
        if not thresholds or thresholds[-1] != threshold:
            thresholds.append(threshold)
            masks.append(so_far)
        masks[-1] = so_far
    return thresholds, [*masks, missing]


class _Codes(dict[int, int]):
    """What each code of a column rules out, worked out when it first comes: there may be many that never do."""

    def __init__(self, nodes: list[Node], size: int) -> None:
        super().__init__()
        self._nodes, self._missing = nodes, size - 1

    def __missing__(self, code: int) -> int:
        if code == self._missing:
            mask = _together(mask for _, missing_left, mask in self._nodes if not missing_left)
        else:
            mask = _together(mask for split, _, mask in self._nodes if code not in split)
        self[code] = mask
        return mask


def _together(masks: Iterable[int]) -> int:
    together = 0
    for mask in masks:
        together |= mask
    return together
