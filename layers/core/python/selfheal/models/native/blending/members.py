"""One member of a blend, taken apart into estimators and the columns that they read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from selfheal.models.native import NativeModel, load_artefact
from selfheal.models.native.edges import width
from selfheal.models.native.model import LINK


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the block that makes it, the same as bytes to tell blocks apart by, and its place in the block."""

    block: dict[str, Any]
    key: bytes
    offset: int

    @classmethod
    def all_of(cls, block: dict[str, Any]) -> list[Self]:
        """The columns of a block."""
        key = orjson.dumps(block, option=orjson.OPT_SORT_KEYS)
        return [cls(block, key, offset) for offset in range(width(block))]


# A column and its coefficient.
type Term = tuple[Column, float]


@dataclass(frozen=True, slots=True)
class Part:
    """One estimator of a blend, its columns, and its weight in the blend's score."""

    weight: float
    columns: Sequence[Column]
    estimator: dict[str, Any]

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """The blocks that make its columns, in their order."""
        return [column.block for column in self.columns if column.offset == 0]


@dataclass(frozen=True, slots=True)
class Member:
    """A sound `model.json`, the model in it, and the model's weight in the mean; weights add up to 1."""

    document: dict[str, Any]
    artefact: NativeModel
    weight: float

    @classmethod
    def of(cls, payload: bytes, weight: float) -> Self:
        """From the bytes of the file. Raises ArtefactRefused."""
        artefact = load_artefact(payload)
        return cls(orjson.loads(payload), artefact, weight)

    @property
    def intercept(self) -> float:
        """What the member adds whatever its score: its calibration's intercept, weighted."""
        return self.weight * self.artefact.intercept

    @property
    def link(self) -> dict[str, Any]:
        """The key that says how scores become answers, where there is one."""
        return {LINK: self.document[LINK]} if LINK in self.document else {}

    @property
    def outputs(self) -> int:
        """How many classes it tells apart; 1 where it answers one number."""
        return self.artefact.outputs

    def parts_of(self, output: int) -> Iterator[dict[str, Any]]:
        """The parts of one class's sum, weighted for the blend; together they read all of the member's columns."""
        estimator, weight = self.document["estimator"]["outputs"][output], self.weight * self.artefact.slope
        columns = sum(len(Column.all_of(block)) for block in self.document["blocks"])
        for part in estimator.get("parts", [{"weight": 1.0, "columns": columns, "estimator": estimator}]):
            yield {**part, "weight": weight * part["weight"]}

    @property
    def parts(self) -> Iterator[Part]:
        """Its estimators, weighted for the blend: by the member's weight and its calibration's slope."""
        weight, estimator = self.weight * self.artefact.slope, self.document["estimator"]
        columns = [column for block in self.document["blocks"] for column in Column.all_of(block)]
        start = 0
        for part in estimator.get("parts", [{"weight": 1.0, "columns": len(columns), "estimator": estimator}]):
            stop = start + part["columns"]
            yield Part(weight * part["weight"], columns[start:stop], part["estimator"])
            start = stop
