"""What may stand under `estimator`: coefficients, trees, layers, or a weighted sum of such.

A sum is `{"kind": "sum", "parts": [{"weight", "columns", "estimator"}, ...]}`: each part reads the next so many
columns, and the score is weight * score of the part, added up in the order of the parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from selfheal.models.native import checks
from selfheal.models.native.layers import Layers, Several
from selfheal.models.native.linear import Linear
from selfheal.models.native.trees import Forests, Trees
from selfheal.models.native.wrapped import Log, LogOdds, Quotient

if TYPE_CHECKING:
    from numpy.typing import NDArray


# As many as a contract may have classes.
MOST_OUTPUTS = 100
SHARES: dict[str, type[LogOdds] | type[Log]] = {"log_odds": LogOdds, "log": Log}


class Estimator(Protocol):
    """From the columns to a score: log-odds, one of several classes' scores, or a number."""

    def one(self, cells: Sequence[Any]) -> float:
        """The score of one row."""
        ...

    def many(self, columns: "Sequence[NDArray[Any]]", rows: int) -> "NDArray[Any]":
        """The scores of many rows, shape (rows,), with the same bits."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a sum and the columns that it reads."""

    weight: float
    columns: slice
    estimator: Estimator


@dataclass(frozen=True, slots=True)
class Sum:
    """The weighted scores of its parts, added up in their order."""

    parts: Sequence[Part]

    def one(self, cells: Sequence[Any]) -> float:
        """See Estimator."""
        score = 0.0
        for part in self.parts:
            score = score + part.weight * part.estimator.one(cells[part.columns])
        return score

    def many(self, columns: "Sequence[NDArray[Any]]", rows: int) -> "NDArray[Any]":
        """See Estimator."""
        import numpy as np

        score = np.zeros(rows)
        for part in self.parts:
            score += part.weight * part.estimator.many(columns[part.columns], rows)
        return score


@dataclass(frozen=True, slots=True)
class PartOfAll:
    """The same part of several sums: their weights, the columns that they all read, and their trees in one."""

    weights: Sequence[float]
    columns: slice
    estimators: Sequence[Estimator]
    forests: Forests | None

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Self:
        """Parts that read the same columns."""
        estimators = [part.estimator for part in parts]
        return cls([part.weight for part in parts], parts[0].columns, estimators, Forests.of(estimators))


@dataclass(frozen=True, slots=True)
class SumsTogether:
    """Sums that read the same columns, part by part."""

    parts: Sequence[PartOfAll]

    @classmethod
    def of(cls, outputs: Sequence[Estimator]) -> Self | None:
        """None where nothing is gained: not all of several are sums, or they read different columns, or no trees."""
        sums = [output for output in outputs if isinstance(output, Sum)]
        columns = [[(part.columns.start, part.columns.stop) for part in each.parts] for each in sums]
        if len(sums) != len(outputs) or any(each != columns[0] for each in columns):
            return None
        parts = [PartOfAll.of(parts) for parts in zip(*(each.parts for each in sums), strict=True)]
        return cls(parts) if any(part.forests for part in parts) else None

    def all_of_one(self, cells: Sequence[Any]) -> list[float]:
        """See Several; each with the bits that it has by itself."""
        scores = [0.0] * len(self.parts[0].weights)
        for part in self.parts:
            own = cells[part.columns]
            found = part.forests.all_of_one(own) if part.forests else [each.one(own) for each in part.estimators]
            for index, weight in enumerate(part.weights):
                scores[index] += weight * found[index]
        return scores


@dataclass(frozen=True, slots=True)
class Outputs:
    """An estimator for each class, all of which read all columns: `{"kind": "outputs", "outputs": [...]}`."""

    outputs: Sequence[Estimator]
    together: SumsTogether | Forests | None = None

    @classmethod
    def of(cls, outputs: Sequence[Estimator]) -> "Outputs":
        """Prepared so that a row's columns are looked up once for the trees of all classes."""
        return cls(outputs, SumsTogether.of(outputs) or Forests.of(outputs))

    @property
    def sizes(self) -> Sequence[int]:
        """See Several."""
        return [0] * len(self.outputs)

    def all_of_one(self, cells: Sequence[Any]) -> list[Any]:
        """See Several."""
        if self.together is not None:
            return self.together.all_of_one(cells)
        return [output.one(cells) for output in self.outputs]

    def all_of_many(self, columns: "Sequence[NDArray[Any]]", rows: int) -> "list[NDArray[Any]]":
        """See Several."""
        return [output.many(columns, rows) for output in self.outputs]


def parse_outputs(raw: Any, path: str, columns: Sequence[int]) -> Several:
    """From the file: outputs, or layers that end in as many columns. Raises ArtefactRefused."""
    found = parse_several(raw, path, columns)
    if not 1 < len(found.sizes) <= MOST_OUTPUTS or any(found.sizes):
        raise checks.refuse(f"{path}.outputs", f"not 2 to {MOST_OUTPUTS} outputs")
    return found


def parse_several(raw: Any, path: str, columns: Sequence[int]) -> Several:
    """What makes one column or several of columns. Raises ArtefactRefused."""
    kind = raw.get("kind") if type(raw) is dict else None
    if kind == "layers":
        return Layers.parse(raw, path, columns, parse_several)
    if kind != "outputs":
        return Outputs([parse_estimator(raw, path, columns)])
    listed = checks.items(checks.table(raw, path, {"kind", "outputs"})["outputs"], f"{path}.outputs")
    return Outputs.of([parse_estimator(item, f"{path}.outputs.{index}", columns) for index, item in enumerate(listed)])


def parse_estimator(raw: Any, path: str, columns: Sequence[int]) -> Estimator:
    """From the file; `columns` holds for each column the number of its codes. Raises ArtefactRefused."""
    if type(raw) is dict and raw.get("kind") == "sum":
        return _parse_sum(raw, path, columns)
    return _parse_single(raw, path, columns)


def _parse_single(raw: Any, path: str, columns: Sequence[int]) -> Estimator:
    kind = raw.get("kind") if type(raw) is dict else None
    if kind == "linear":
        return Linear.parse(raw, path, columns)
    if kind == "trees":
        return Trees.parse(raw, path, columns)
    if kind == "quotient":
        return _parse_quotient(raw, path, columns)
    if type(kind) is str and kind in SHARES:
        inner = checks.table(raw, path, {"kind", "estimator"})["estimator"]
        if type(inner) is not dict or inner.get("kind") not in ("quotient", "layers"):
            raise checks.refuse(f"{path}.estimator", "not a quotient or layers")
        return SHARES[kind](_parse_single(inner, f"{path}.estimator", columns))
    if kind == "layers":
        layers = Layers.parse(raw, path, columns, parse_several)
        if list(layers.sizes) != [0]:
            raise checks.refuse(path, "they don't end in one column of numbers")
        return layers
    raise checks.refuse(f"{path}.kind", "not one that may stand here")


def _parse_quotient(raw: Any, path: str, columns: Sequence[int]) -> Quotient:
    found = checks.table(raw, path, {"kind", "divisor", "estimator"})
    divisor = checks.number(found["divisor"], f"{path}.divisor")
    if divisor <= 0:
        raise checks.refuse(f"{path}.divisor", "not above 0")
    if type(found["estimator"]) is not dict or found["estimator"].get("kind") != "trees":
        raise checks.refuse(f"{path}.estimator", "not trees")
    return Quotient(Trees.parse(found["estimator"], f"{path}.estimator", columns), divisor)


def _parse_sum(raw: Any, path: str, columns: Sequence[int]) -> Sum:
    found = checks.table(raw, path, {"kind", "parts"})
    parts: list[Part] = []
    start = 0
    for index, item in enumerate(checks.items(found["parts"], f"{path}.parts")):
        place = f"{path}.parts.{index}"
        part = checks.table(item, place, {"weight", "columns", "estimator"})
        stop = start + checks.integer(part["columns"], f"{place}.columns", 0, len(columns) - start + 1)
        estimator = _parse_single(part["estimator"], f"{place}.estimator", columns[start:stop])
        parts.append(Part(checks.number(part["weight"], f"{place}.weight"), slice(start, stop), estimator))
        start = stop
    if not parts or start != len(columns):
        raise checks.refuse(f"{path}.parts", f"they read {start} of {len(columns)} columns")
    return Sum(parts)
