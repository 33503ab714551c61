"""The columns that an estimator reads, as its exporter asks about them."""

from collections.abc import Callable, Sequence
from typing import Any

from selfheal.errors import ExportInexact
from selfheal.models.native.edges import width
from selfheal.models.native.export.tree import Split

type Block = dict[str, Any]


class Columns:
    """Blocks by column. Columns of codes have the numbers that their encoder says."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = [block for block in blocks for _ in range(width(block))]

    def threshold(self, column: int, goes_left: Callable[[float], bool], threshold: float) -> Split:
        """The split that sends a number left up to a threshold; of codes those that go left."""
        block = self._blocks[column]
        if block["kind"] != "ordinal":
            return threshold
        return [code for code, number in enumerate(block["numbers"]) if goes_left(number)]

    def codes(self, column: int, left: Callable[[int], bool]) -> Split:
        """The codes that a categorical split sends left.

        Raises:
            ExportInexact: the column isn't one of codes.
        """
        block = self._blocks[column]
        if block["kind"] != "ordinal":
            raise ExportInexact(
                "a categorical split of a column that isn't made by an OrdinalEncoder can't be served: encode it by one"
            )
        return [code for code, number in enumerate(block["numbers"]) if number >= 0 and left(int(number))]
