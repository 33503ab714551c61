"""Boosted trees: `{"kind": "trees", "baseline", "trees"}`, with scikit-learn's meaning.

How many rows there are, and how many leaves a tree has, decides by which of three ways they are evaluated.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from selfheal.models.native import checks
from selfheal.models.native.trees.few_rows import PlainTrees
from selfheal.models.native.trees.tree import Tree, parse_tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfheal.models.native.trees.large import LargeTrees
    from selfheal.models.native.trees.many_rows import MaskedTrees

# A bit each in the masks by which trees are evaluated; where one has more, all rows go down from the roots.
MASKED_LEAVES = 64


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
        trees = [parse_tree(tree, f"{path}.trees.{index}", columns) for index, tree in enumerate(listed)]
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
        from selfheal.models.native.trees.many_rows import MaskedTrees

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
    from selfheal.models.native.trees.large import LargeTrees

    return LargeTrees(trees, columns)
