"""What people hold their rows in, as a table that the readers of files take."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pandas as pd
import pyarrow as pa

from selfheal.errors import FileUnreadable
from selfheal.files.columns import column_of
from selfheal.files.in_memory import InMemory
from selfheal.files.table import Tabular


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that hands out Arrow columns: polars, DuckDB, pyarrow itself."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """See https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html."""
        ...


@runtime_checkable
class Interchange(Protocol):
    """Anything that hands out itself by the data frame interchange protocol."""

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> object:  # noqa: FBT001, FBT002
        """See https://data-apis.org/dataframe-protocol/latest/."""
        ...


type Rows = str | os.PathLike[str] | pd.DataFrame | ArrowStream | Interchange


def tabular(rows: Rows, name: str) -> Tabular:
    """A file, or columns in memory; `name` is what messages call rows that have no file.

    Raises:
        FileUnreadable: it is neither a path nor a data frame.
    """
    if isinstance(rows, str | os.PathLike):
        return Path(rows)
    if isinstance(rows, pd.DataFrame):
        return InMemory(name, _of_pandas(rows))
    if isinstance(rows, ArrowStream):
        return InMemory(name, pa.table(rows))
    if isinstance(rows, Interchange):
        from pyarrow.interchange import from_dataframe  # pyarrow doesn't load it by itself

        return InMemory(name, from_dataframe(rows))
    raise FileUnreadable(
        f"the {name} is {type(rows).__name__}, not a table: give a path, or a pandas, polars or other data frame"
    )


def _of_pandas(frame: pd.DataFrame) -> pa.Table:
    names = [str(name) for name in frame.columns]
    return pa.table([_cells(frame.iloc[:, position]) for position in range(len(names))], names=names)


def _cells(column: "pd.Series[Any]") -> pa.Array:
    """Columns of pandas' own types as they are; of Python's values, which may be of several types, as a file's."""
    if column.dtype != object:
        return _whole(pa.Array.from_pandas(column))
    return column_of(list(_without_gaps(column)), ".")


def _without_gaps(column: "pd.Series[Any]") -> Iterable[Any]:
    values = column.tolist()
    return (None if gone else value for gone, value in zip(column.isna(), values, strict=True))


def _whole(cells: pa.Array | pa.ChunkedArray) -> pa.Array:
    return cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
