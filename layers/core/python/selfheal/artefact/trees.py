"""Boosted trees: `{"kind": "trees", "baseline", "trees"}`, with scikit-learn's meaning.

A tree is five lists over its inner nodes, parents before children, and the list of its leaves' values:
`column`; `split`, a threshold or the list of codes that go left; `missing_left`, 1 where a missing value goes left;
`left` and `right`, an inner node, or -1 - k for leaf k. A value up to and including the threshold goes left. Node 0 is
the root; a tree without inner nodes is its one leaf.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from selfheal.artefact import checks

if TYPE_CHECKING:
    from numpy.typing import NDArray

type Split = float | frozenset[int]
KEYS = {"column", "split", "missing_left", "left", "right", "leaves"}


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree in the form that evaluation reads: from node i to `left[i]` where cell <= split[i], else to `right[i]`.

    A cell of codes is a one-element set, so that <= asks whether the split's set holds it. NaN is never <=, so a
    missing value goes right; a node where it should go left looks at the negated column with its children swapped.
    """

    column: list[int]
    split: list[Split]
    left: list[int]
    right: list[int]
    leaves: list[float]


@dataclass(frozen=True, slots=True)
class Trees:
    """baseline + the leaf of each tree, added up in the order of the trees.

    `negated` lists the columns whose negative follows behind the last column, in that order.
    """

    baseline: float
    trees: list[Tree]
    negated: list[int]

    @classmethod
    def parse(cls, raw: Any, path: str, columns: Sequence[int]) -> Self:
        """From the file; `columns` holds for each column the number of its codes. Raises ArtefactRefused."""
        found = checks.table(raw, path, {"kind", "baseline", "trees"})
        parser = _TreeParser(columns)
        listed = checks.items(found["trees"], f"{path}.trees")
        trees = [parser.parse(tree, f"{path}.trees.{index}") for index, tree in enumerate(listed)]
        return cls(checks.number(found["baseline"], f"{path}.baseline"), trees, list(parser.negated))

    def one(self, cells: Sequence[Any]) -> float:
        """The score of one row."""
        cells = [*cells, *[-cells[column] for column in self.negated]]
        score = self.baseline
        for tree in self.trees:
            column, split, left, right = tree.column, tree.split, tree.left, tree.right
            node = 0 if column else -1
            while node >= 0:
                node = left[node] if cells[column[node]] <= split[node] else right[node]
            score = score + tree.leaves[~node]
        return score

    def many(self, columns: "Sequence[NDArray[Any]]", rows: int) -> "NDArray[Any]":
        """The scores of many rows, shape (rows,), with the same bits."""
        from selfheal.artefact.many_trees import scores

        return scores(self, columns, rows)


class _TreeParser:
    def __init__(self, columns: Sequence[int]) -> None:
        self._columns = columns
        self.negated: dict[int, int] = {}

    def parse(self, raw: Any, path: str) -> Tree:
        found = checks.table(raw, path, KEYS)
        column = checks.integers(found["column"], f"{path}.column", 0, len(self._columns))
        nodes = len(column)
        leaves = checks.numbers(found["leaves"], f"{path}.leaves")
        missing_left = checks.integers(found["missing_left"], f"{path}.missing_left", 0, 2)
        left = checks.integers(found["left"], f"{path}.left", -len(leaves), nodes)
        right = checks.integers(found["right"], f"{path}.right", -len(leaves), nodes)
        split = checks.items(found["split"], f"{path}.split")
        for name, values in (("missing_left", missing_left), ("left", left), ("right", right), ("split", split)):
            checks.of_length(values, f"{path}.{name}", nodes)
        _refuse_loops(path, left, right, len(leaves))
        tree = Tree(list(column), [], list(left), list(right), leaves)
        for node in range(nodes):
            tree.split.append(self._split(tree, node, split[node], missing_left[node], f"{path}.split.{node}"))
        return tree

    def _split(self, tree: Tree, node: int, raw: Any, missing_left: int, path: str) -> Split:
        codes = self._columns[tree.column[node]]
        if codes:
            members = checks.integers(raw, path, 0, codes - 1)
            return frozenset([*members, codes - 1] if missing_left else members)
        threshold = checks.number(raw, path)
        if not missing_left:
            return threshold
        column = tree.column[node]
        tree.column[node] = self.negated.setdefault(column, len(self._columns) + len(self.negated))
        tree.left[node], tree.right[node] = tree.right[node], tree.left[node]
        # x > threshold, said of -x with <=.
        return math.nextafter(-threshold, -math.inf)


def _refuse_loops(path: str, left: list[int], right: list[int], leaves: int) -> None:
    """Every child lies below its parent and has no other one, so that evaluation ends and reaches each leaf."""
    for node, children in enumerate(zip(left, right, strict=True)):
        for child in children:
            if 0 <= child <= node:
                raise checks.refuse(path, f"node {node} points back to node {child}")
    if sorted([*left, *right, *([] if left else [-1])]) != [*range(-leaves, 0), *range(1, len(left))]:
        raise checks.refuse(path, "a node or leaf doesn't have exactly one parent")
