"""A file before it has a contract: every column, and how the file is written."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from selfheal.contract.model import FileSection
from selfheal.drafting.notation import Notation, notation_of, with_signs
from selfheal.errors import DraftImpossible, FileUnreadable
from selfheal.files.cells import is_blank
from selfheal.files.table import Table as Cells
from selfheal.files.table import Tabular, reading, table_of


@dataclass(frozen=True, eq=False)
class Table:
    """n rows of a file.

    names: those of its columns, where they have one. odd: by name, the types of columns that hold no single values.
    unlabelled: how many rows were left out.
    """

    names: list[str]
    cells: Cells
    notation: Notation
    odd: Mapping[str, str]
    unlabelled: int = 0

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def spec(self) -> FileSection:
        """How the file is written."""
        return self.cells.spec

    def column(self, name: str) -> pa.Array:
        """The cells of a column that holds values."""
        return self.cells.columns[name]

    def labelled(self, target: str) -> "Table":
        """The rows that have a label: of the others nothing can be learnt."""
        missing: NDArray[np.bool_] = is_blank(self.column(target))
        return replace(self, cells=self.cells.take(~missing), unlabelled=int(missing.sum()))


def read_table(path: Tabular, stated: Mapping[str, str]) -> Table:
    """Read a file as it shows that it is written; `stated` are keys of the `[file]` table that somebody knows better.

    Raises DraftImpossible where it isn't a table with rows, or nothing shows how it is written.
    """
    try:
        notation = notation_of(path, stated)
        with reading(path, notation.spec) as source:
            names = source.names()
            if repeated := sorted({name for name in names if name and names.count(name) > 1}):
                listed = ", ".join(map(repr, repeated))
                raise DraftImpossible(f"{path.name} has several columns called {listed}: give each its own name")
            names, odd = [name for name in names if name], source.odd
            cells = table_of(source, notation.spec, [name for name in names if name not in odd])
    except FileUnreadable as error:
        raise DraftImpossible(str(error)) from error
    if not len(cells):
        raise DraftImpossible(f"{path.name} has no rows below its header: a contract is drafted from data")
    notation = with_signs(notation, cells, stated)
    return Table(names, replace(cells, spec=notation.spec), notation, odd)
