"""Text with separators: every row has as many cells as the header has names, or is a fault."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import batched, chain
from operator import itemgetter

import numpy as np
import pyarrow as pa

from selfheal.contract.model import FileSection
from selfheal.errors import FileUnreadable
from selfheal.files.chunks import too_long, whole_lines
from selfheal.files.encoding import encoding_of, is_undecoded, text_of_stream, undecoded
from selfheal.files.limits import Limits
from selfheal.files.opening import Opened
from selfheal.files.plain_rows import plain_columns
from selfheal.files.source import BATCH_ROWS, Batch, RowFault, check_columns, check_rows

SEPARATORS = (",", ";", "\t", "|")
TABBED = (".tsv", ".tab")
# What some programs write above the header to tell the separator.
DECLARED = "sep="
CAUSES = "row names in front, a separator at the end, or one inside a value, which then belongs in quotes"


class Delimited:
    """A text file. Its own words come first: a line `sep=;` or the name .tsv; then the contract's separator.

    Where names of columns are `known`, such as those of a label file, the first separator that shows them is taken.
    """

    unit = "line"
    has_header = True

    def __init__(self, file: Opened, spec: FileSection, limits: Limits, known: Sequence[str] = ()) -> None:
        self.name, self.odd, self._limits = file.name, dict[str, str](), limits
        self._encoding = encoding_of(file.name, file.stream, spec.encoding)
        text = text_of_stream(file.stream, self._encoding, newline="")
        self._chunks = whole_lines(self.name, text, self._encoding, limits.row)
        # The chunk at hand; how many lines have been taken, and how many characters since the last row.
        self._lines, self._line, self._since_row = io.StringIO(), 0, 0
        self._separator = "\t" if file.suffix in TABBED else spec.separator
        first = self._next_line()
        if first.lower().startswith(DECLARED) and len(first.strip()) == len(DECLARED) + 1:
            self._separator, self._line = first.strip()[-1], 1
        else:
            self._separator = _showing(known, first, self._separator)
            self._lines.seek(0)
        self._header = self._first_row()
        self._check_header(file, spec)

    def names(self) -> list[str]:
        """The first row that isn't empty."""
        return self._header

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """See Source."""
        positions, total = [self._header.index(name) for name in wanted], 0
        # The rest of the header's chunk comes first.
        for chunk in chain([self._lines.read()], self._chunks):
            for batch, rows in self._parts(chunk, wanted, positions):
                total += rows
                check_rows(self.name, total, len(wanted), self._limits)
                yield batch
        if not total:
            # A file without rows has a batch too.
            yield self._batch(wanted, positions, ())

    def _parts(self, chunk: str, wanted: Sequence[str], positions: Sequence[int]) -> Iterator[tuple[Batch, int]]:
        """The rows that begin in a chunk, and how many there are, empty lines counted."""
        columns = plain_columns(chunk, self._separator, len(self._header), positions, self._limits.row)
        if columns is not None:
            rows = chunk.count("\n") + (not chunk.endswith("\n"))
            lines = np.arange(rows, dtype=np.int64) + self._line + 1
            self._line += rows
            yield Batch(dict(zip(wanted, columns, strict=True)), lines, []), rows
            return
        self._lines = io.StringIO(chunk, newline="")
        for some in batched(((self._line, row) for row in self._rows()), BATCH_ROWS, strict=False):
            yield self._batch(wanted, positions, some), len(some)

    def _rows(self) -> Iterator[list[str]]:
        """Until a row ends with a chunk."""
        reader = csv.reader(
            self._lines_of_rows(),
            delimiter=self._separator[0],
            skipinitialspace=len(self._separator) > 1,
            strict=True,
        )
        try:
            for row in reader:
                self._since_row = 0
                yield row
        except csv.Error as error:
            raise FileUnreadable(f"{self.name}: line {self._line} is not CSV: {error}") from error

    def _lines_of_rows(self) -> Iterator[str]:
        """Lines, of which a row may take several, also of the next chunk, where a value in quotes holds line ends."""
        while line := self._lines.readline() or (self._next_line() if self._since_row else ""):
            self._line += 1
            self._since_row += len(line)
            if self._since_row > self._limits.row:
                raise FileUnreadable(too_long(self.name, self._limits.row))
            yield line

    def _next_line(self) -> str:
        """The first line of the next chunk."""
        self._lines = io.StringIO(next(self._chunks, ""), newline="")
        return self._lines.readline()

    def _first_row(self) -> list[str]:
        """The header; empty lines may be above it."""
        while not (header := next((row for row in self._rows() if row), [])) and self._next_line():
            self._lines.seek(0)
        return header

    def _check_header(self, file: Opened, spec: FileSection) -> None:
        if not self._header:
            raise FileUnreadable(f"{self.name} is empty")
        header = "".join(self._header)
        if "\0" in header:
            raise FileUnreadable(f"{self.name} is no text")
        if is_undecoded(header):
            raise undecoded(self.name, self._encoding, self._line, header)
        check_columns(self.name, len(self._header), self._limits)
        only = self._header[0] if len(self._header) == 1 else ""
        found = next((sign for sign in SEPARATORS if sign in only and sign != self._separator[0]), None)
        if found is not None:
            raise FileUnreadable(_other_separator(file, spec, found, self._separator))

    def _batch(self, wanted: Sequence[str], positions: Sequence[int], rows: Sequence[tuple[int, list[str]]]) -> Batch:
        width, picked = len(self._header), _picker(positions)
        lines = np.array([line for line, row in rows if len(row) == width], dtype=np.int64)
        cells = [picked(row) for _, row in rows if len(row) == width]
        faults = [
            RowFault(line, f"{len(row)} cells where the header has {width} names ({CAUSES})")
            for line, row in rows
            if row and len(row) != width
        ]
        columns = zip(*cells, strict=True) if cells else ((),) * len(wanted)
        named = {name: self._cells(values, lines) for name, values in zip(wanted, columns, strict=True)}
        return Batch(named, lines, faults)

    def _cells(self, values: Sequence[str], lines: np.ndarray) -> pa.Array:
        try:
            return pa.array(values, pa.string())
        except UnicodeEncodeError:
            line, text = next((n, v) for n, v in zip(lines, values, strict=True) if is_undecoded(v))
            raise undecoded(self.name, self._encoding, int(line), text) from None


def _showing(known: Sequence[str], header: str, separator: str) -> str:
    """The first separator that shows all known names in a header; the usual one where none does."""
    for candidate in dict.fromkeys([separator, *SEPARATORS]):
        cells = [cell.strip().strip('"') for cell in header.split(candidate[0])]
        if known and {*known} <= {*cells}:
            return candidate
    return separator


def _other_separator(file: Opened, spec: FileSection, found: str, used: str) -> str:
    if file.suffix in TABBED:
        return f"{file.name} separates its columns by {found!r}, and its name says tabs: name it .csv or .txt"
    return (
        f"{file.name} separates its columns by {found!r}, and the contract says {used!r}: set separator = "
        f"{_quoted(found)} under [file] of the contract, or save it with {used!r}"
        + (
            '; where numbers are written as 97,88, set decimal = "," too'
            if spec.decimal == "." and found == ";"
            else ""
        )
    )


def _quoted(separator: str) -> str:
    return '"\\t"' if separator == "\t" else f'"{separator}"'


def _picker(positions: Sequence[int]) -> Callable[[list[str]], tuple[str, ...]]:
    if len(positions) == 1:
        (only,) = positions
        return lambda row: (row[only],)
    return itemgetter(*positions) if positions else lambda _: ()
