"""Boosted trees: `{"kind": "trees", "baseline", "trees"}`, with scikit-learn's meaning.

A tree is five lists over its inner nodes, parents before children, and the list of its leaves' values:
`column`; `split`, a threshold or the list of codes that go left; `missing_left`, 1 where a missing value goes left;
`left` and `right`, an inner node, or -1 - k for leaf k. A value up to and including the threshold goes left. Node 0 is
the root; a tree without inner nodes is its one leaf. `covers`, which may be absent, is how many rows (or how much of
their weight) the fit had in each leaf. Answers don't need it, reasons for them do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from selfheal.models.native import checks
from selfheal.models.native.few_trees import PlainTrees

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfheal.models.native.large_trees import LargeTrees
    from selfheal.models.native.many_trees import MaskedTrees

type Split = float | frozenset[int]
KEYS = {"column", "split", "missing_left", "left", "right", "leaves"}
# A bit each in the masks by which trees are evaluated; where one has more, all rows go down from the roots.
MASKED_LEAVES = 64
MOST_LEAVES = 65_536


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree as the file has it, found sound."""

    column: list[int]
    split: list[Split]
    missing_left: list[int]
    left: list[int]
    right: list[int]
    leaves: list[float]
    covers: list[float] | None = None


class Trees:
    """baseline + the leaf of each tree, added up in the order of the trees."""

    def __init__(self, baseline: float, trees: Sequence[Tree], columns: Sequence[int]) -> None:
        self.baseline, self.trees, self.sizes = baseline, trees, columns
        is_large = any(len(tree.leaves) > MASKED_LEAVES for tree in trees)
        # Made when a model is loaded, not when the first row is asked for.
        self._large = _large(trees, columns) if is_large else None
        self._one = self._large or PlainTrees(trees, columns)

    @classmethod
    def parse(cls, raw: Any, path: str, columns: Sequence[int]) -> "Trees":
        """From the file; `columns` holds for each column the number of its codes. Raises ArtefactRefused."""
        found = checks.table(raw, path, {"kind", "baseline", "trees"})
        listed = checks.items(found["trees"], f"{path}.trees")
        trees = [_parse_tree(tree, f"{path}.trees.{index}", columns) for index, tree in enumerate(listed)]
        return cls(checks.number(found["baseline"], f"{path}.baseline"), trees, columns)

    def one(self, cells: Sequence[Any]) -> float:
        """The score of one row."""
        return self._one.score(self.baseline, cells)

    @property
    def are_small(self) -> bool:
        """Whether each has a bit for all its leaves."""
        return self._large is None

    def many(self, columns: "Sequence[NDArray[Any]]", rows: int) -> "NDArray[Any]":
        """The scores of many rows, shape (rows,), with the same bits."""
        return (self._large or self._masked).scores(self.baseline, columns, rows)

    @cached_property
    def _masked(self) -> "MaskedTrees":
        from selfheal.models.native.many_trees import MaskedTrees

        return MaskedTrees(self.trees, self.sizes)


class Forests:
    """The trees of several outputs that read the same columns: for one row a column is looked up once for them all."""

    def __init__(self, forests: Sequence[Trees]) -> None:
        ends = accumulate(len(forest.trees) for forest in forests)
        self._outputs = [(forest.baseline, end) for forest, end in zip(forests, ends, strict=True)]
        self._one = PlainTrees([tree for forest in forests for tree in forest.trees], forests[0].sizes)

    @classmethod
    def of(cls, estimators: Sequence[Any]) -> "Forests | None":
        """None where not all of several are trees of up to 64 leaves."""
        forests = [each for each in estimators if isinstance(each, Trees) and each.are_small and each.trees]
        return cls(forests) if len(forests) == len(estimators) > 1 else None

    def all_of_one(self, cells: Sequence[Any]) -> list[float]:
        """The score of each for one row, with the bits that it has by itself."""
        leaves = self._one.leaves(cells)
        scores, start = [], 0
        for score, end in self._outputs:
            # Not `sum`, which corrects what rounding loses.
            for leaf in leaves[start:end]:
                score += leaf  # noqa: PLW2901 - the baseline is where the sum begins
            scores.append(score)
            start = end
        return scores


def _large(trees: Sequence[Tree], columns: Sequence[int]) -> "LargeTrees":
    # It needs numpy, which a predictor of few rows and small trees never loads.
    from selfheal.models.native.large_trees import LargeTrees

    return LargeTrees(trees, columns)


def _parse_tree(raw: Any, path: str, columns: Sequence[int]) -> Tree:
    found = checks.table(raw, path, KEYS, {"covers"})
    column = checks.integers(found["column"], f"{path}.column", 0, len(columns))
    nodes = len(column)
    leaves = checks.numbers(found["leaves"], f"{path}.leaves")
    if len(leaves) > MOST_LEAVES:
        raise checks.refuse(f"{path}.leaves", f"has more than {MOST_LEAVES} items")
    missing_left = checks.integers(found["missing_left"], f"{path}.missing_left", 0, 2)
    left = checks.integers(found["left"], f"{path}.left", -len(leaves), nodes)
    right = checks.integers(found["right"], f"{path}.right", -len(leaves), nodes)
    split = checks.items(found["split"], f"{path}.split")
    for name, values in (("missing_left", missing_left), ("left", left), ("right", right), ("split", split)):
        checks.of_length(values, f"{path}.{name}", nodes)
    _refuse_loops(path, left, right, len(leaves))
    splits = [_parse_split(item, f"{path}.split.{node}", columns[column[node]]) for node, item in enumerate(split)]
    return Tree(column, splits, missing_left, left, right, leaves, _parse_covers(found, path))


def _parse_covers(found: dict[str, Any], path: str) -> list[float] | None:
    if "covers" not in found:
        return None
    covers = checks.numbers(found["covers"], f"{path}.covers")
    checks.of_length(covers, f"{path}.covers", len(found["leaves"]))
    if min(covers) <= 0:
        raise checks.refuse(f"{path}.covers", "not all above 0")
    return covers


def _parse_split(raw: Any, path: str, codes: int) -> Split:
    # The last code stands for missing and unknown values, whose way is `missing_left`.
    return frozenset(checks.integers(raw, path, 0, codes - 1)) if codes else checks.number(raw, path)


def _refuse_loops(path: str, left: list[int], right: list[int], leaves: int) -> None:
    """Every child lies below its parent and has no other one, so that evaluation ends and reaches each leaf."""
    for node, children in enumerate(zip(left, right, strict=True)):
        for child in children:
            if 0 <= child <= node:
                raise checks.refuse(path, f"node {node} points back to node {child}")
    if sorted([*left, *right, *([] if left else [-1])]) != [*range(-leaves, 0), *range(1, len(left))]:
        raise checks.refuse(path, "a node or leaf doesn't have exactly one parent")
