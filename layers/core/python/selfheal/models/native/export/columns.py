"""The columns that an estimator reads while a pipeline is written down, and what its exporter asks about them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

from selfheal.errors import ExportInexact
from selfheal.models.native.edges import width
from selfheal.models.native.export.tree import Split
from selfheal.models.native.steps import parse_step

type Block = dict[str, Any]

# A category as it comes, which no estimator reads; `fill` is what an imputer puts in the place of a missing one.
CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the block that makes it, its place in the block, and of codes the number that each stands for."""

    block: Block
    place: int = 0
    numbers: Sequence[float] = ()

    @property
    def is_category(self) -> bool:
        """Whether it is a category that nothing has encoded yet."""
        return bool(self.block["kind"] == CATEGORY)

    @property
    def is_codes(self) -> bool:
        """Whether it holds codes of categories."""
        return bool(self.block["kind"] == "ordinal")

    def then(self, **step: Any) -> "Column":
        """The column after one more step; of a category's numbers the step is worked out here, once.

        Raises:
            ExportInexact: the column is a category as it comes.
        """
        if self.block["kind"] == "number":
            return Column({**self.block, "steps": [*self.block["steps"], step]})
        block = self.looked_up.block
        one = parse_step(step, "the step").one
        return Column(
            {
                **block,
                "numbers": {category: one(number) for category, number in block["numbers"].items()},
                **{name: _or_none(one(nan if block[name] is None else block[name])) for name in ("missing", "unknown")},
            }
        )

    @property
    def looked_up(self) -> "Column":
        """The same column of a category as one of numbers. Raises ExportInexact."""
        block = self.block
        if block["kind"] in ("number", "look_up"):
            return self
        if self.is_category:
            raise ExportInexact(
                "a category as it comes can't be served: encode it (OneHotEncoder, OrdinalEncoder, TargetEncoder)"
            )
        number = self._code_number if self.is_codes else self._is_here
        return Column(
            {
                "kind": "look_up",
                "feature": block["feature"],
                "numbers": {category: number(code) for category, code in block["codes"].items()},
                "missing": _or_none(number(block["missing"])),
                "unknown": _or_none(number(block["unknown"])),
            }
        )

    @property
    def as_numbers(self) -> "Column":
        """What estimators that know no codes read: of codes the numbers that they stand for."""
        return self.looked_up if self.is_codes else self

    def _code_number(self, code: int | None) -> float:
        return nan if code is None else float(self.numbers[code])

    def _is_here(self, code: int | None) -> float:
        return float(code == self.place)


def _or_none(number: float) -> float | None:
    """Missing where it is NaN: JSON has no such number."""
    return None if isnan(number) else number


def written(columns: Sequence[Column]) -> list[Block]:
    """The blocks that make these columns, in their order; a block of several columns whole where all of it is read."""
    blocks: list[Block] = []
    place = 0
    while place < len(columns):
        block = columns[place].block
        together = columns[place : place + width(block)]
        if block["kind"] != CATEGORY and [(id(one.block), one.place) for one in together] == [
            (id(block), number) for number in range(width(block))
        ]:
            blocks.append(block)
            place += len(together)
        else:
            blocks.append(columns[place].looked_up.block)
            place += 1
    return blocks


class Columns:
    """What exporters of trees ask. Columns of codes have the numbers that their encoder says."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def threshold(self, column: int, goes_left: Callable[[float], bool], threshold: float) -> Split:
        """The split that sends a number left up to a threshold; of codes those that go left."""
        found = self._columns[column]
        if not found.is_codes:
            return threshold
        return [code for code, number in enumerate(found.numbers) if goes_left(number)]

    def codes(self, column: int, left: Callable[[int], bool]) -> Split:
        """The codes that a categorical split sends left.

        Raises:
            ExportInexact: the column isn't one of codes.
        """
        found = self._columns[column]
        if not found.is_codes:
            raise ExportInexact(
                "a categorical split of a column that isn't made by an OrdinalEncoder can't be served: encode it by one"
            )
        return [code for code, number in enumerate(found.numbers) if number >= 0 and left(int(number))]
