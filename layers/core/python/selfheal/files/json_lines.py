"""JSON lines: an object on each line; a name that a line lacks is a missing value, one that it has twice is a fault."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from selfheal.contract.model import FileSection
from selfheal.errors import FileUnreadable
from selfheal.files.columns import column_of
from selfheal.files.encoding import encoding_of, is_undecoded, text_of_stream, undecoded
from selfheal.files.limits import Limits
from selfheal.files.opening import Opened
from selfheal.files.source import BATCH_ROWS, Batch, RowFault, check_columns, check_faults, check_rows

HALF = re.compile("[\ud800-\udfff]")

type Line = tuple[int, dict[str, Any]]


class NotARow(ValueError):
    """A line is no row; its text is the reason."""


class JsonLines:
    """A file of JSON lines."""

    unit = "line"
    has_header = False

    def __init__(self, file: Opened, spec: FileSection, limits: Limits) -> None:
        self.name, self.odd, self._spec, self._limits = file.name, dict[str, str](), spec, limits
        self._encoding = encoding_of(file.name, file.stream, "utf-8")
        self._text = text_of_stream(file.stream, self._encoding, newline="\n")
        self._kept: list[Batch] | None = None
        self._names: dict[str, None] = {}

    def names(self) -> list[str]:
        """All names that occur, in the order in which they first do; reads the file to its end.

        Raises FileUnreadable where a line is no row.
        """
        if self._kept is None:
            self._kept = list(self._batches(None))
            check_faults(self, self._kept)
        return list(self._names)

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """See Source."""
        if self._kept is None:
            yield from self._batches(wanted)
            return
        for batch in self._kept:
            absent = column_of([None] * len(batch.lines), self._spec.decimal)
            yield Batch({name: batch.columns.get(name, absent) for name in wanted}, batch.lines, batch.faults)

    def _batches(self, wanted: Sequence[str] | None) -> Iterator[Batch]:
        rows, faults, total = list[Line](), list[RowFault](), 0
        for number, text in enumerate(self._lines(), start=1):
            total += 1
            if text.strip():
                try:
                    rows.append((number, self._row(number, text)))
                except NotARow as error:
                    faults.append(RowFault(number, str(error)))
            if total % BATCH_ROWS == 0:
                check_rows(self.name, total, len(self._names), self._limits)
                yield self._batch(wanted, rows, faults)
                rows, faults = [], []
        check_rows(self.name, total, len(self._names), self._limits)
        yield self._batch(wanted, rows, faults)

    def _lines(self) -> Iterator[str]:
        """What ends with a line feed: other characters that end a line of text may stand in a string of JSON."""
        try:
            while line := self._text.readline(self._limits.row + 1):
                yield line
                while len(line) > self._limits.row and not line.endswith("\n"):
                    line = self._text.readline(self._limits.row + 1)
        except UnicodeError as error:
            raise FileUnreadable(f"{self.name} is not {self._encoding}: {error}") from error

    def _row(self, number: int, text: str) -> dict[str, Any]:
        if len(text) > self._limits.row:
            raise NotARow(f"the line is longer than {self._limits.row:,} characters: give each row its own")
        if is_undecoded(text):
            raise undecoded(self.name, self._encoding, number, text)
        try:
            row = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
        except NotARow:
            raise
        except (ValueError, RecursionError):
            raise NotARow("the line is not JSON") from None
        if not isinstance(row, dict):
            raise NotARow("the line is not a JSON object")
        if "\\ud" in text.lower() and HALF.search(json.dumps(row, ensure_ascii=False)):
            raise NotARow("the line holds half a character (an unpaired surrogate)")
        if not row.keys() <= self._names.keys():
            self._names.update(dict.fromkeys(row))
            check_columns(self.name, len(self._names), self._limits)
        return row

    def _batch(self, wanted: Sequence[str] | None, rows: list[Line], faults: list[RowFault]) -> Batch:
        names = self._names if wanted is None else wanted
        columns = {name: column_of([row.get(name) for _, row in rows], self._spec.decimal) for name in names}
        return Batch(columns, np.array([number for number, _ in rows], dtype=np.int64), faults)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotARow(f"the name {twice[:60]!r} is there twice")
    return row


def _refuse_constant(name: str) -> NoReturn:
    raise NotARow(f"{name} is not JSON: write null where a value is missing")
