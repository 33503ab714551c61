"""Excel workbooks: a sheet's first row that isn't empty holds the names."""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import numpy as np
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from selfheal.contract.model import FileSection
from selfheal.errors import FileTooLarge, FileUnreadable
from selfheal.files.columns import column_of
from selfheal.files.limits import Limits
from selfheal.files.opening import BROKEN, Opened
from selfheal.files.source import Batch, RowFault, check_columns, check_rows
from selfheal.files.texts import text_of

SHEETS = "xl/worksheets/"
CELL = re.compile(rb"""\br\s*=\s*["']([A-Z]{0,3})([0-9]{1,7})["']""")


class Excel:
    """A sheet of a workbook: the contract's, else the first that is to be seen."""

    unit = "row"
    has_header = True

    def __init__(self, file: Opened, spec: FileSection, limits: Limits) -> None:
        self.name, self.odd, self._spec, self._limits = file.name, dict[str, str](), spec, limits
        try:
            body = _unfolded(file, limits)
            _check_extent(file.name, body, limits)
            self._sheet = self._named(CalamineWorkbook.from_filelike(body))
        except (*BROKEN, CalamineError, RuntimeError, NotImplementedError) as error:
            raise FileUnreadable(f"{file.name} can't be read as its name promises: not Excel ({error})") from error
        first = self._sheet.start[0] if self._sheet.start else 0
        self._rows = enumerate(self._sheet.iter_rows(), start=first + 1)
        header = next((cells for _, cells in self._rows if any(cell != "" for cell in cells)), None)
        if header is None:
            raise FileUnreadable(f"{file.name}: its sheet {self._sheet.name!r} is empty")
        names = [text_of(cell) if not isinstance(cell, str) else cell for cell in header]
        while names and not names[-1]:
            names.pop()
        self._names = names
        check_columns(file.name, len(names), limits)

    def names(self) -> list[str]:
        """The cells of the first row that isn't empty, up to the last that holds something."""
        return self._names

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """See Source."""
        width, positions = len(self._names), [self._names.index(name) for name in wanted]
        rows, lines, faults = [], [], []
        for number, cells in self._rows:
            if any(cell != "" for cell in cells[width:]):
                faults.append(RowFault(number, f"cells to the right of the {width} names of the first row"))
            elif any(cell != "" for cell in cells):
                rows.append(cells)
                lines.append(number)
        check_rows(self.name, len(rows) + len(faults), len(wanted), self._limits)
        columns = {
            name: column_of([_value(row[position]) for row in rows], self._spec.decimal)
            for name, position in zip(wanted, positions, strict=True)
        }
        yield Batch(columns, np.array(lines, dtype=np.int64), faults)

    def _named(self, book: CalamineWorkbook) -> CalamineSheet:
        if self._spec.sheet:
            if self._spec.sheet not in book.sheet_names:
                listed = ", ".join(map(repr, book.sheet_names[:10]))
                raise FileUnreadable(f"{self.name} has no sheet {self._spec.sheet!r}; it has {listed}")
            return book.get_sheet_by_name(self._spec.sheet)
        seen = (
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        )
        name = next(seen, None)
        if name is None:
            raise FileUnreadable(f"{self.name} has no sheet that is to be seen: name one under [file] of the contract")
        return book.get_sheet_by_name(name)


def _value(cell: Any) -> object:
    if cell == "" and isinstance(cell, str):
        return None
    # A time of day, or a duration, is no moment: its text is what there is.
    return str(cell) if isinstance(cell, time | timedelta) else cell


def _unfolded(file: Opened, limits: Limits) -> io.BytesIO:
    """The workbook with its parts stored as they are: what they really unfold to is known, and bounded."""
    unfolded, left = io.BytesIO(), limits.unfolded
    with zipfile.ZipFile(file.seekable()) as packed, zipfile.ZipFile(unfolded, "w") as stored:
        for member in packed.infolist():
            left -= member.file_size
            if left < 0:
                raise FileTooLarge(f"{file.name} unfolds to more than {limits.unfolded:,} bytes: split it into parts")
            stored.writestr(member.filename, packed.read(member))
    unfolded.seek(0)
    return unfolded


def _check_extent(name: str, body: io.BytesIO, limits: Limits) -> None:
    """One cell far out makes a sheet as large as that: readers hold every cell up to it."""
    with zipfile.ZipFile(body) as stored:
        for sheet in (path for path in stored.namelist() if path.startswith(SHEETS) and path.endswith(".xml")):
            rows = columns = 1
            for cell in CELL.finditer(stored.read(sheet)):
                rows, columns = max(rows, int(cell[2])), max(columns, _column(cell[1]))
            check_columns(name, columns, limits)
            check_rows(name, rows - 1, columns, replace(limits, cells=limits.sheet))
    body.seek(0)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
