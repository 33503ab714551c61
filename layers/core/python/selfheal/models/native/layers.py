"""Columns made of columns, one layer after the other: what ensembles of whole models take to be said.

`{"kind": "layers", "layers": [...]}`; each layer reads the columns that the one before it made, the first one those of
the blocks:

- `estimators`: `{"estimators": [{"columns", "estimator"}, ...], "keeps": [...]}`: each reads the columns that it lists
  and makes one (`outputs` and nested `layers` as many as they have); after them come the columns that are kept as they
  are;
- `columns`: `{"columns": [{"column", "steps"}, ...]}`: columns of numbers after steps, as in a `number` block;
- `softmax` and `proportions`: `{"size"}`: each so many columns become probabilities of classes, by their exponentials
  or, of shares, by what each is of their sum (equal ones where that is 0).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from selfheal.models.native import checks
from selfheal.models.native.functions import proportions, softmax
from selfheal.models.native.steps import Step, parse_step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Columns = Sequence[NDArray[Any]]


# Stacks of stacks within each other: nobody has more, and an answer must not run out of stack.
DEEPEST = 20


class Several(Protocol):
    """Columns made of columns; `sizes` holds for each the number of its codes, 0 where it is numeric."""

    @property
    def sizes(self) -> Sequence[int]:
        """Of the columns that it makes."""
        ...

    def all_of_one(self, cells: Sequence[Any]) -> list[Any]:
        """The columns of one row."""
        ...

    def all_of_many(self, columns: "Columns", rows: int) -> "list[NDArray[Any]]":
        """The columns of many rows, each of shape (rows,), with the same bits."""
        ...


# Reads what may stand under `estimator` against the columns that it reads.
type ParseSeveral = Callable[[Any, str, Sequence[int]], Several]


@dataclass(frozen=True, slots=True)
class Layers:
    """One layer after the other."""

    layers: Sequence[Several]

    @classmethod
    def parse(cls, raw: Any, path: str, columns: Sequence[int], parse_several: ParseSeveral) -> Self:
        """From the file; `columns` holds for each column the number of its codes. Raises ArtefactRefused."""
        if path.count(".layers.") >= DEEPEST:
            raise checks.refuse(path, f"layers lie deeper within each other than {DEEPEST}")
        listed = checks.items(checks.table(raw, path, {"kind", "layers"})["layers"], f"{path}.layers")
        layers: list[Several] = []
        for index, item in enumerate(listed):
            layers.append(_parse_layer(item, f"{path}.layers.{index}", columns, parse_several))
            columns = layers[-1].sizes
        if not layers:
            raise checks.refuse(f"{path}.layers", "there are none")
        return cls(layers)

    @property
    def sizes(self) -> Sequence[int]:
        """See Several."""
        return self.layers[-1].sizes

    def all_of_one(self, cells: Sequence[Any]) -> list[Any]:
        """See Several."""
        for layer in self.layers:
            cells = layer.all_of_one(cells)
        return list(cells)

    def all_of_many(self, columns: "Columns", rows: int) -> "list[NDArray[Any]]":
        """See Several."""
        for layer in self.layers:
            columns = layer.all_of_many(columns, rows)
        return list(columns)

    def one(self, cells: Sequence[Any]) -> float:
        """The first column of one row: where layers stand for one estimator they end in one."""
        return float(self.all_of_one(cells)[0])

    def many(self, columns: "Columns", rows: int) -> "NDArray[Any]":
        """The same of many rows."""
        return self.all_of_many(columns, rows)[0]


@dataclass(frozen=True, slots=True)
class EstimatorLayer:
    """See `estimators`."""

    parts: Sequence[tuple[Sequence[int], Several]]
    keeps: Sequence[int]
    sizes: Sequence[int]

    @classmethod
    def parse(cls, raw: Any, path: str, columns: Sequence[int], parse_several: ParseSeveral) -> Self:
        """Raises ArtefactRefused."""
        found = checks.table(raw, path, {"kind", "estimators", "keeps"})
        parts = []
        for index, item in enumerate(checks.items(found["estimators"], f"{path}.estimators")):
            place = f"{path}.estimators.{index}"
            part = checks.table(item, place, {"columns", "estimator"})
            read = checks.integers(part["columns"], f"{place}.columns", 0, len(columns))
            parts.append((read, parse_several(part["estimator"], f"{place}.estimator", [columns[of] for of in read])))
        keeps = checks.integers(found["keeps"], f"{path}.keeps", 0, len(columns))
        made = [size for _, part in parts for size in part.sizes]
        return cls(parts, keeps, [*made, *(columns[of] for of in keeps)])

    def all_of_one(self, cells: Sequence[Any]) -> list[Any]:
        """See Several."""
        made: list[Any] = []
        for read, part in self.parts:
            made += part.all_of_one([cells[of] for of in read])
        return [*made, *(cells[of] for of in self.keeps)]

    def all_of_many(self, columns: "Columns", rows: int) -> "list[NDArray[Any]]":
        """See Several."""
        made: list[Any] = []
        for read, part in self.parts:
            made += part.all_of_many([columns[of] for of in read], rows)
        return [*made, *(columns[of] for of in self.keeps)]


@dataclass(frozen=True, slots=True)
class ColumnLayer:
    """See `columns`."""

    columns: Sequence[tuple[int, Sequence[Step]]]
    sizes: Sequence[int]

    @classmethod
    def parse(cls, raw: Any, path: str, columns: Sequence[int], parse_several: ParseSeveral) -> Self:  # noqa: ARG003 - as all
        """Raises ArtefactRefused."""
        made: list[tuple[int, Sequence[Step]]] = []
        for index, item in enumerate(
            checks.items(checks.table(raw, path, {"kind", "columns"})["columns"], f"{path}.columns")
        ):
            place = f"{path}.columns.{index}"
            found = checks.table(item, place, {"column", "steps"})
            column = checks.integer(found["column"], f"{place}.column", 0, len(columns))
            listed = enumerate(checks.items(found["steps"], f"{place}.steps"))
            steps = [parse_step(step, f"{place}.steps.{number}") for number, step in listed]
            if steps and columns[column]:
                raise checks.refuse(f"{place}.steps", "the column is one of codes")
            made.append((column, steps))
        return cls(made, [columns[column] for column, _ in made])

    def all_of_one(self, cells: Sequence[Any]) -> list[Any]:
        """See Several."""
        made = []
        for column, steps in self.columns:
            x = cells[column]
            for step in steps:
                x = step.one(x)
            made.append(x)
        return made

    def all_of_many(self, columns: "Columns", rows: int) -> "list[NDArray[Any]]":  # noqa: ARG002 - as all
        """See Several."""
        made = []
        for column, steps in self.columns:
            values = columns[column]
            for step in steps:
                values = step.many(values)
            made.append(values)
        return made


# Of one row's scores or shares of the classes.
CLASSES: dict[str, Callable[[Sequence[float]], list[float]]] = {"softmax": softmax, "proportions": proportions}


@dataclass(frozen=True, slots=True)
class ClassLayer:
    """See `softmax` and `proportions`."""

    of_classes: Callable[[Sequence[float]], list[float]]
    size: int
    sizes: Sequence[int]

    @classmethod
    def parse(cls, raw: Any, path: str, columns: Sequence[int], parse_several: ParseSeveral) -> Self:  # noqa: ARG003 - as all
        """Raises ArtefactRefused."""
        found = checks.table(raw, path, {"kind", "size"})
        size = checks.integer(found["size"], f"{path}.size", 2, len(columns) + 1)
        if len(columns) % size or any(columns):
            raise checks.refuse(f"{path}.size", "doesn't divide the columns, or some are of codes")
        return cls(CLASSES[found["kind"]], size, columns)

    def all_of_one(self, cells: Sequence[Any]) -> list[Any]:
        """See Several."""
        starts = range(0, len(cells), self.size)
        return [share for start in starts for share in self.of_classes(cells[start : start + self.size])]

    def all_of_many(self, columns: "Columns", rows: int) -> "list[NDArray[Any]]":
        """See Several."""
        import numpy as np

        rowwise = [self.all_of_one(cells) for cells in zip(*(column.tolist() for column in columns), strict=True)]
        return list(np.array(rowwise, dtype=np.float64).reshape(rows, len(columns)).T)


KINDS: dict[str, type[EstimatorLayer | ColumnLayer | ClassLayer]] = {
    "estimators": EstimatorLayer,
    "columns": ColumnLayer,
    **dict.fromkeys(CLASSES, ClassLayer),
}


def _parse_layer(raw: Any, path: str, columns: Sequence[int], parse_several: ParseSeveral) -> Several:
    kind = raw.get("kind") if type(raw) is dict else None
    if type(kind) is not str or kind not in KINDS:
        raise checks.refuse(f"{path}.kind", f"not one of {sorted(KINDS)}")
    return KINDS[kind].parse(raw, path, columns, parse_several)
