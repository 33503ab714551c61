"""What every format is read as: the names of its columns, then its rows in batches of whole columns."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from selfheal.errors import FileTooLarge, FileUnreadable
from selfheal.files.limits import Limits

# Rows that are in memory as Python's own values at once.
BATCH_ROWS = 10_000


class RowFault(NamedTuple):
    """A row that can't be read, and why."""

    line: int
    reason: str


@dataclass(frozen=True, eq=False)
class Batch:
    """n rows: their columns by name, of n cells each as the file types them, and the line of each.

    Text is text, an empty cell among it; `faults` are of rows that are missing from the columns.
    """

    columns: dict[str, pa.Array]
    lines: NDArray[np.int64]
    faults: list[RowFault] = field(default_factory=list)


class Source(Protocol):
    """A file that is being read.

    unit: what its rows are counted in, from 1. has_header: the names are known before the rows are read. odd: by name,
    the types of columns that hold no single values, such as lists.
    """

    name: str
    unit: str
    has_header: bool
    odd: dict[str, str]

    def names(self) -> list[str]:
        """The names of the columns as the file writes them, in its order; "" where it writes none."""
        ...

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """The rows, once, with these columns only. Raises FileUnreadable, perhaps after some batches."""
        ...


def check_columns(name: str, count: int, limits: Limits) -> None:
    """Raises FileUnreadable where a file has too many columns."""
    if count > limits.columns:
        raise FileUnreadable(
            f"{name} has {count:,} columns, more than {limits.columns:,}: leave out those that no one needs"
        )


def check_rows(name: str, rows: int, wanted: int, limits: Limits) -> None:
    """Raises FileTooLarge where a file has too many rows, for itself or for so many columns."""
    most = min(limits.rows, limits.cells // max(wanted, 1))
    if rows > most:
        raise FileTooLarge(f"{name} has more than {most:,} rows: split it into parts")


def check_faults(source: Source, batches: Iterable[Batch]) -> None:
    """Raises FileUnreadable where rows can't be read, with the first of them."""
    faults = [fault for batch in batches for fault in batch.faults]
    if faults:
        place = f"{source.unit} {faults[0].line}"
        raise FileUnreadable(f"{source.name}: {len(faults)} row(s) can't be read; {place}: {faults[0].reason}")


def check_single_values(name: str, wanted: Sequence[str], odd: Mapping[str, str]) -> None:
    """Raises FileUnreadable where a column that is needed holds lists and the like."""
    for column in wanted:
        if column in odd:
            raise FileUnreadable(f"{name}: column {column!r} holds no single values but {odd[column][:60]}")
