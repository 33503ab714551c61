"""From features to the columns that the estimator reads: one block a feature and purpose, in the order of the file.

- `number`: one column, the feature's value after its `steps`;
- `ordinal`: one column, the code of a category, `size` of them;
- `one_hot`: `size` columns, 1 in the one that the category's code names;
- `look_up`: one numeric column, the number that `numbers` has for a category, `missing` and `unknown` (null: missing).

`ordinal` and `one_hot` look a category up in `codes`; `missing` and `unknown` are the codes of a missing and an unseen
category, or null where these have none: an ordinal column is missing then, and all columns of a one_hot block are 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

from selfheal.models.native import checks
from selfheal.models.native.steps import Step, parse_step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Column = NDArray[Any]

# A column's value in one row: a number, or the code of an ordinal column.
type Cell = float
type Codes = Mapping[str | None, int]


@dataclass(frozen=True, slots=True)
class Feature:
    """One input of the model."""

    name: str
    is_category: bool


@dataclass(frozen=True, slots=True)
class NumberBlock:
    """One numeric column."""

    feature: str
    steps: Sequence[Step]

    @property
    def columns(self) -> list[int]:
        """For each column the number of its codes; 0 where it is numeric."""
        return [0]

    def one(self, value: Any, cells: list[Cell]) -> None:
        """Append the columns of one row to its cells."""
        x = float("nan") if value is None else float(value)
        for step in self.steps:
            x = step.one(x)
        cells.append(x)

    def many(self, values: "Column", columns: "list[Column]") -> None:
        """Append the columns of many rows; `values` has shape (n,), float64."""
        for step in self.steps:
            values = step.many(values)
        columns.append(values)


@dataclass(frozen=True, slots=True)
class CategoryBlock:
    """What both blocks of categories hold. `codes` has the code of None; where there is none, a code is `size`."""

    feature: str
    codes: Codes
    unknown: int
    size: int


@dataclass(frozen=True, slots=True)
class OrdinalBlock(CategoryBlock):
    """One column of codes."""

    @property
    def columns(self) -> list[int]:
        """See NumberBlock."""
        return [self.size + 1]

    def one(self, value: Any, cells: list[Cell]) -> None:
        """See NumberBlock."""
        cells.append(self.codes.get(value, self.unknown))

    def many(self, values: "Column", columns: "list[Column]") -> None:
        """See NumberBlock; `values` holds strings, and None where missing."""
        columns.append(_coded(values, self.codes, self.unknown))


@dataclass(frozen=True, slots=True)
class OneHotBlock(CategoryBlock):
    """`size` columns of 0 and 1."""

    @property
    def columns(self) -> list[int]:
        """See NumberBlock."""
        return [0] * self.size

    def one(self, value: Any, cells: list[Cell]) -> None:
        """See NumberBlock."""
        code = self.codes.get(value, self.unknown)
        start = len(cells)
        cells.extend((0.0,) * self.size)
        if code < self.size:
            cells[start + code] = 1.0

    def many(self, values: "Column", columns: "list[Column]") -> None:
        """See OrdinalBlock."""
        codes = _coded(values, self.codes, self.unknown)
        columns.extend((codes == column).astype("float64") for column in range(self.size))


@dataclass(frozen=True, slots=True)
class LookUpBlock:
    """One numeric column; `numbers` has the number of None."""

    feature: str
    numbers: Mapping[str | None, float]
    unknown: float

    @property
    def columns(self) -> list[int]:
        """See NumberBlock."""
        return [0]

    def one(self, value: Any, cells: list[Cell]) -> None:
        """See NumberBlock."""
        cells.append(self.numbers.get(value, self.unknown))

    def many(self, values: "Column", columns: "list[Column]") -> None:
        """See OrdinalBlock."""
        import numpy as np

        found = map(self.numbers.get, values.tolist(), repeat(self.unknown))
        columns.append(np.fromiter(found, dtype=np.float64, count=len(values)))


type Block = NumberBlock | OrdinalBlock | OneHotBlock | LookUpBlock


class BlockParser:
    """Parses blocks against the features that the file declares."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self._features = features

    def parse(self, raw: Any, path: str) -> Block:
        """One block of the file. Raises ArtefactRefused."""
        kind = raw.get("kind") if type(raw) is dict else None
        if kind == "number":
            return self._number(raw, path)
        if kind == "ordinal":
            return OrdinalBlock(*self._category(raw, path))
        if kind == "one_hot":
            return OneHotBlock(*self._category(raw, path))
        if kind == "look_up":
            return self._look_up(raw, path)
        raise checks.refuse(f"{path}.kind", "not number, ordinal, one_hot or look_up")

    def _number(self, raw: Any, path: str) -> NumberBlock:
        found = checks.table(raw, path, {"kind", "feature", "steps"})
        steps = checks.items(found["steps"], f"{path}.steps")
        parsed = [parse_step(step, f"{path}.steps.{index}") for index, step in enumerate(steps)]
        return NumberBlock(self._feature(found, path, is_category=False), parsed)

    def _look_up(self, raw: Any, path: str) -> LookUpBlock:
        found = checks.table(raw, path, {"kind", "feature", "numbers", "missing", "unknown"})
        if type(found["numbers"]) is not dict:
            raise checks.refuse(f"{path}.numbers", "not an object")
        numbers = checks.numbers(list(found["numbers"].values()), f"{path}.numbers")
        missing, unknown = (
            float("nan") if found[name] is None else checks.number(found[name], f"{path}.{name}")
            for name in ("missing", "unknown")
        )
        known: dict[str | None, float] = dict(zip(found["numbers"], numbers, strict=True))
        return LookUpBlock(self._feature(found, path, is_category=True), known | {None: missing}, unknown)

    def _category(self, raw: Any, path: str) -> tuple[str, Codes, int, int]:
        found = checks.table(raw, path, {"kind", "feature", "codes", "size", "missing", "unknown"})
        size = checks.integer(found["size"], f"{path}.size", 0, LARGEST_SIZE)
        codes = found["codes"]
        if type(codes) is not dict:
            raise checks.refuse(f"{path}.codes", "not an object")
        checks.integers(list(codes.values()), f"{path}.codes", 0, size)
        missing, unknown = (_special(found[name], f"{path}.{name}", size) for name in ("missing", "unknown"))
        return self._feature(found, path, is_category=True), {**codes, None: missing}, unknown, size

    def _feature(self, raw: dict[str, Any], path: str, *, is_category: bool) -> str:
        index = checks.integer(raw["feature"], f"{path}.feature", 0, len(self._features))
        feature = self._features[index]
        if feature.is_category != is_category:
            raise checks.refuse(f"{path}.feature", f"{feature.name} is not of the kind that this block reads")
        return feature.name


# More columns than any encoder here makes; a file that claims more would only burn memory.
LARGEST_SIZE = 10_000


def _special(raw: Any, path: str, size: int) -> int:
    return size if raw is None else checks.integer(raw, path, 0, size)


def _coded(values: "Column", codes: Codes, unknown: int) -> "Column":
    import numpy as np

    return np.fromiter(map(codes.get, values.tolist(), repeat(unknown)), dtype=np.intp, count=len(values))
