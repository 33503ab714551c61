"""Boosted trees over few rows, in plain Python: one comparison a level, whatever the kind of split."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selfheal.artefact.trees import Split, Tree

# From node i to left[i] where cells[column[i]] <= split[i], else to right[i]; a negative child is a leaf.
type PlainTree = tuple[list[int], list[Split], list[int], list[int], list[float]]


class PlainTrees:
    """A forest prepared for few rows; `sizes` holds for each column the number of its codes, 0 where it is numeric.

    A cell of codes is a one-element set, so that <= asks whether the split's set holds it. NaN is never <=, so a
    missing value goes right; a node where it should go left looks at the negated column with its children swapped.
    """

    def __init__(self, trees: Sequence["Tree"], sizes: Sequence[int]) -> None:
        self._sizes = sizes
        self._negated: dict[int, int] = {}
        self._trees = [self._prepared(tree) for tree in trees]

    def score(self, baseline: float, cells: Sequence[Any]) -> float:
        """The baseline and the leaf of each tree for one row, added up in the order of the trees."""
        cells = [*cells, *[-cells[column] for column in self._negated]]
        score = baseline
        for column, split, left, right, leaves in self._trees:
            node = 0 if column else -1
            while node >= 0:
                node = left[node] if cells[column[node]] <= split[node] else right[node]
            score = score + leaves[~node]
        return score

    def _prepared(self, tree: "Tree") -> PlainTree:
        column, split, left, right = tree.column[:], tree.split[:], tree.left[:], tree.right[:]
        for node, missing_left in enumerate(tree.missing_left):
            if missing_left:
                threshold, size = split[node], self._sizes[column[node]]
                if isinstance(threshold, frozenset):
                    split[node] = threshold | {size - 1}
                    continue
                column[node] = self._negated.setdefault(column[node], len(self._sizes) + len(self._negated))
                left[node], right[node] = right[node], left[node]
                # x > threshold, said of -x with <=.
                split[node] = math.nextafter(-threshold, -math.inf)
        return column, split, left, right, tree.leaves
