"""A file as a table: all rows of the columns that are asked for, and where in the file each is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from selfheal.contract.model import FileSection
from selfheal.errors import FileUnreadable
from selfheal.files.columns import joined, texts
from selfheal.files.limits import LOCAL, Limits
from selfheal.files.opening import opened
from selfheal.files.source import Source, check_faults

if TYPE_CHECKING:
    from selfheal.files.in_memory import InMemory

type Tabular = Path | InMemory


@dataclass(frozen=True, eq=False)
class Table:
    """n rows of a file. `columns`: by name, arrays of n cells; `lines`: shape (n,), where each row is."""

    name: str
    unit: str
    spec: FileSection
    columns: Mapping[str, pa.Array]
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lines)

    def place(self, row: int) -> str:
        """Where a row is: its line in a text, its number in a sheet or columnar file."""
        return f"{self.unit} {self.lines[row]}"

    def text(self, name: str, row: int) -> str:
        """A cell as text; empty where it is missing."""
        (text,) = texts(self.columns[name].slice(row, 1), self.spec.decimal).to_pylist()
        return text or ""

    def take(self, rows: NDArray[np.bool_]) -> "Table":
        """The rows that a mask selects."""
        mask = pa.array(rows)
        columns = {name: column.filter(mask) for name, column in self.columns.items()}
        return Table(self.name, self.unit, self.spec, columns, self.lines[rows])


def source_of(name: str, file: BinaryIO, spec: FileSection, limits: Limits, known: Sequence[str] = ()) -> Source:
    """A file as what can be read by columns; `known` are names that its header surely holds.

    Raises:
        FileUnreadable: it can't be read as a table; the message says why and what to do.
    """
    unfolded = opened(name, file, limits)
    # Each reader is imported where a file of its kind arrives: the labels function starts sooner.
    match unfolded.format:
        case "text":
            from selfheal.files.delimited import Delimited

            return Delimited(unfolded, spec, limits, known)
        case "json_lines":
            from selfheal.files.json_lines import JsonLines

            return JsonLines(unfolded, spec, limits)
        case "excel":
            from selfheal.files.excel import Excel

            return Excel(unfolded, spec, limits)
        case "parquet":
            from selfheal.files.columnar import Parquet

            return Parquet(unfolded, limits)
        case "feather":
            from selfheal.files.columnar import Feather

            return Feather(unfolded, limits)


@contextmanager
def reading(data: Tabular, spec: FileSection) -> Iterator[Source]:
    """A file on this machine, open while it is read, or a table in memory. Raises FileUnreadable."""
    if not isinstance(data, Path):
        from selfheal.files.in_memory import ArrowTable

        yield ArrowTable(data, LOCAL)
        return
    try:
        file = data.open("rb")
    except OSError as error:
        raise FileUnreadable(f"{data} can't be opened: {error.strerror}") from error
    with file:
        yield source_of(data.name, file, spec, LOCAL)


def table_of(source: Source, spec: FileSection, wanted: Sequence[str]) -> Table:
    """All rows of these columns.

    Raises:
        FileUnreadable: a row can't be read, such as one with more cells than the header has names; the first is told.
    """
    batches = list(source.batches(wanted))
    check_faults(source, batches)
    columns = {name: joined([batch.columns[name] for batch in batches], spec.decimal) for name in wanted}
    return Table(source.name, source.unit, spec, columns, np.concatenate([batch.lines for batch in batches]))
