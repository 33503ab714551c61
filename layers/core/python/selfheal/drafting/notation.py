"""How a file is written, as far as it shows that itself: what its contract's `[file]` table has to say."""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from selfheal.contract.file_faults import file_faults
from selfheal.contract.model import FileSection
from selfheal.errors import DraftImpossible, FileUnreadable
from selfheal.files.cells import is_missing_number, numbers
from selfheal.files.columns import is_text
from selfheal.files.delimited import DECLARED, SEPARATORS, TABBED
from selfheal.files.encoding import encoding_of
from selfheal.files.limits import LOCAL
from selfheal.files.opening import Opened, opened
from selfheal.files.table import Table, Tabular
from selfheal.files.texts import shown

SAMPLE_LINES = 200
SAMPLE_ROWS = 5_000
CHUNK = 1 << 20
# Decimal and thousands signs, the plainest first.
SIGNS = ((".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'"))
# Where Windows has letters and Latin-1 has nothing that anybody writes.
CONTROLS = bytes(range(0x80, 0xA0))


@dataclass(frozen=True)
class Notation:
    """The `[file]` table, and what somebody should check about it, a sentence each by key ("" for none of them)."""

    spec: FileSection
    checks: Mapping[str, str]


def notation_of(path: Tabular, stated: Mapping[str, str]) -> Notation:
    """Separator and encoding of a text, as the file shows them; everything else as usual, but for what is stated.

    Raises:
        FileUnreadable: the file is none of a kind that is read.
        DraftImpossible: what is stated makes no `[file]` table.
    """
    spec, checks = _stated(stated), dict[str, str]()
    if not isinstance(path, Path):
        return Notation(spec, checks)
    try:
        file = path.open("rb")
    except OSError as error:
        raise FileUnreadable(f"{path} can't be opened: {error.strerror}") from error
    with file:
        unfolded = opened(path.name, file, LOCAL)
        if unfolded.format != "text":
            return Notation(spec, checks)
        body_start = unfolded.stream.peek(CHUNK)
        encoding, said = _encoding(unfolded, spec.encoding if "encoding" in stated else None)
    if said:
        checks["encoding"] = said
    changes = {"encoding": encoding} if said else {}
    if "separator" not in stated and unfolded.suffix not in TABBED:
        changes["separator"] = _separator(body_start, encoding)
    return Notation(spec.model_copy(update=changes), checks)


def with_signs(notation: Notation, table: Table, stated: Mapping[str, str]) -> Notation:
    """The same with the signs of the numbers, where its texts show them: by those that make most columns numbers."""
    step = max(1, len(table) // SAMPLE_ROWS)
    rows = pa.array(np.arange(0, len(table), step))
    texts = {name: cells.take(rows) for name, cells in table.columns.items() if is_text(cells.type)}
    if {"decimal", "thousands"} & stated.keys() or not texts:
        return notation
    read = [(signs, _readable(texts, _signed(notation.spec, signs))) for signs in SIGNS]
    most = max(len(found) for _, found in read)
    (plainest, found), *others = [(signs, found) for signs, found in read if len(found) == most]
    twofold = next(((signs, name) for signs, other in others for name in _differing(found, other)), None)
    mixed = next(((signs, name) for signs, other in others for name in other if name not in found), None)
    if twofold is None and mixed is None:
        return replace(notation, spec=_signed(notation.spec, plainest))
    # The usual signs hold for 1.234 where nothing speaks against them, as separators of other countries do.
    if mixed is None and plainest == SIGNS[0] and notation.spec.separator != ";":
        return notation
    signs, name = twofold or mixed or (SIGNS[0], "")
    example = f"{_example(texts[name], notation.spec, plainest, signs)} in {name!r}"
    ways = _said(plainest), _said(signs)
    said = f"{example} may be one number or another: say which by {' or '.join(ways)}"
    if twofold is None:
        said = f"{example} is a number by {ways[1]} alone, and others are by {ways[0]} alone: write all in one way"
    return replace(notation, checks={**notation.checks, "": said})


def _stated(stated: Mapping[str, str]) -> FileSection:
    unknown = [key for key in stated if key not in FileSection.model_fields]
    if unknown:
        known = ", ".join(FileSection.model_fields)
        raise DraftImpossible(f"{unknown[0]!r} is no key of the [file] table, which has {known}")
    faults = [*file_faults({"file": dict(stated), "model": {"time_column": "a time column"}})]
    for key, values in {"decimal": (".", ","), "thousands": ("", ",", ".", " ", "'")}.items():
        if stated.get(key, values[0]) not in values:
            faults.append(f"file.{key}: one of {', '.join(map(repr, values))}")
    if faults:
        raise DraftImpossible("; ".join(faults))
    return FileSection.model_validate(dict(stated))


def _encoding(file: Opened, stated: str | None) -> tuple[str, str]:
    """The encoding of a whole text, and what to check about it where nothing but its bytes tells."""
    marked = encoding_of(file.name, file.stream, stated or "utf-8")
    if marked != "utf-8":
        return marked, ""
    decoder, seen = codecs.getincrementaldecoder("utf-8")(), bytearray()
    try:
        while chunk := file.stream.read(CHUNK):
            seen = bytearray(chunk)
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        rest = file.stream.read()
        encoding = "cp1252" if any(byte in CONTROLS for byte in bytes(seen) + rest) else "latin-1"
        word = next((word for word in bytes(seen).split() if not word.isascii()), b"")
        return encoding, f"not UTF-8; as {encoding} it has words such as {shown(word.decode(encoding, 'replace'))}"
    return "utf-8", ""


def _separator(start: bytes, encoding: str) -> str:
    """The separator that makes most columns of the first lines, all with as many cells."""
    text = start.decode(encoding, errors="replace").removeprefix("\ufeff")
    lines = text.splitlines(keepends=True)
    lines = lines[:SAMPLE_LINES] if len(lines) > SAMPLE_LINES else lines[: max(len(lines) - 1, 1)]
    if lines and lines[0].lower().startswith(DECLARED):
        return ","
    found = max(SEPARATORS, key=lambda sign: _fit(lines, sign))
    return ", " if found == "," and _has_blanks(lines) else found


def _fit(lines: list[str], sign: str) -> tuple[bool, int]:
    """Whether all rows have as many cells, more than one; and how many the first has. The first best is taken."""
    try:
        rows = [row for row in csv.reader(io.StringIO("".join(lines), newline=""), delimiter=sign) if row]
    except csv.Error:
        rows = []
    width = len(rows[0]) if rows else 0
    return width > 1 and {*map(len, rows)} == {width}, width


def _has_blanks(lines: list[str]) -> bool:
    cells = [cell for line in lines for cell in line.rstrip("\r\n").split(",")[1:] if cell]
    return bool(cells) and all(cell.startswith(" ") for cell in cells)


def _signed(spec: FileSection, signs: tuple[str, str]) -> FileSection:
    return spec.model_copy(update={"decimal": signs[0], "thousands": signs[1]})


def _readable(texts: Mapping[str, pa.Array], spec: FileSection) -> dict[str, np.ndarray]:
    """The columns that are numbers by these signs."""
    found = {}
    for name, cells in texts.items():
        read = numbers(cells, spec)
        if not read.wrong.any() and not is_missing_number(cells).all():
            found[name] = read.floats
    return found


def _differing(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> Iterator[str]:
    """The columns that are numbers by both, and other ones."""
    shared = (name for name in first if name in second)
    return (name for name in shared if not np.array_equal(first[name], second[name], equal_nan=True))


def _example(cells: pa.Array, spec: FileSection, first: tuple[str, str], second: tuple[str, str]) -> str:
    """The first cell that isn't the same by both signs."""
    one, other = (numbers(cells, _signed(spec, signs)).floats for signs in (first, second))
    differs = ~((one == other) | (np.isnan(one) & np.isnan(other)))
    return shown(cells[int(np.flatnonzero(differs)[0])].as_py())


def _said(signs: tuple[str, str]) -> str:
    decimal = f'decimal = "{signs[0]}"'
    return f'{decimal} and thousands = "{signs[1]}"' if signs[1] else decimal
