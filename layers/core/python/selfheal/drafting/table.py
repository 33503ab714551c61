"""A file before it has a contract: every column as the loader would read it."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from selfheal.data.files import MISSING_NUMBERS, UNREADABLE, column_names, is_parquet, other_separator, unreadable
from selfheal.errors import DataInvalid, DraftImpossible


@dataclass(frozen=True, eq=False)
class Table:
    """n rows, twice: as read where a contract calls a column a category or boolean (`texts`), and a number (`numbers`).

    is_typed: the file says itself which columns are numbers (Parquet); the two are then the same.
    """

    texts: pd.DataFrame
    numbers: pd.DataFrame
    is_typed: bool

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def names(self) -> list[str]:
        """The columns that have a name, in the order of the file."""
        return [name for name in map(str, self.texts.columns) if name in self.texts]


def read_table(path: Path) -> Table:
    """Read a CSV (also gzipped) or Parquet file. Raises DraftImpossible where it isn't a table with rows."""
    try:
        table = _read(path)
    except DataInvalid as error:
        raise DraftImpossible("; ".join(error.faults)) from error
    except UNREADABLE as error:
        raise DraftImpossible(unreadable(path, error)) from error
    if not isinstance(table.texts.index, pd.RangeIndex) and not table.is_typed:
        raise DraftImpossible(f"{path.name} is not a table: its rows hold more fields than its first line has names")
    if not len(table):
        raise DraftImpossible(f"{path.name} has no rows below its header: a contract is drafted from data")
    return table


def _read(path: Path) -> Table:
    names = column_names(path)
    if separator := other_separator(path, names):
        raise DraftImpossible(separator)
    if repeated := sorted({name for name in names if name and names.count(name) > 1}):
        listed = ", ".join(map(repr, repeated))
        raise DraftImpossible(f"{path.name} has several columns called {listed}: give each its own name")
    if is_parquet(path):
        frame = pd.read_parquet(path)
        return Table(frame, frame, is_typed=True)
    texts = pd.read_csv(path, dtype=str, keep_default_na=False)
    numbers = pd.read_csv(path, na_values=MISSING_NUMBERS, keep_default_na=False, low_memory=False)
    # What has no name in the file can be called by none in a contract.
    nameless = [called for called, name in zip(texts.columns, names, strict=False) if not name]
    return Table(texts.drop(columns=nameless), numbers.drop(columns=nameless), is_typed=False)
