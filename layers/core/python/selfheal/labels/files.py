"""Uploaded label files as rows of text, whatever they are written in."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from selfheal.contract.model import FileSection
from selfheal.errors import FileUnreadable, UploadUnreadable
from selfheal.files.columns import texts, values
from selfheal.files.limits import UPLOAD
from selfheal.files.source import Batch
from selfheal.files.table import source_of
from selfheal.files.times import times_of

REQUIRED = ("prediction_id", "label")
OPTIONAL = ("label_timestamp", "source")
# Bytes of the file itself; `UPLOAD` says what it may unfold to.
MAXIMUM_BYTES = UPLOAD.unfolded
MAXIMUM_ROWS = UPLOAD.rows
# Characters of a cell: what is refused is written into a file of refused rows.
MAXIMUM_CELL = 1_000
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True, slots=True)
class UploadedRow:
    """One row as it was uploaded, every cell as text; `fault` says why the row couldn't be read at all."""

    line: int
    prediction_id: str = ""
    label: str = ""
    label_timestamp: str = ""
    source: str = ""
    fault: str = ""


def check_size(size: int) -> None:
    """Raises UploadUnreadable where a file has too many bytes to be read."""
    if size > MAXIMUM_BYTES:
        raise UploadUnreadable(
            f"the file has {size:,} bytes, more than {MAXIMUM_BYTES:,}: split it and upload the parts"
        )


def read_label_file(name: str, body: bytes, spec: FileSection | None = None) -> Iterator[UploadedRow]:
    """The rows of an uploaded file; `line` is the line in a text, else the number of the row.

    `spec` is the contract's `[file]` table. The separator is the one under which the header has a column `label`.
    Times come out in ISO 8601 where they are written as `spec` says, else as they are.

    Raises:
        UploadUnreadable: the file as a whole can't be read, or has too many rows; the message gives the reason. It may
            come after some rows: keep none before all are read.
    """
    spec = spec or FileSection()
    try:
        source = source_of(name, io.BytesIO(body), spec, UPLOAD, known=("label",))
        wanted = [*REQUIRED, *OPTIONAL]
        if source.has_header:
            _require(source.names())
            wanted = [column for column in wanted if column in source.names()]
        for batch in source.batches(wanted):
            yield from _rows(batch, spec)
    except FileUnreadable as error:
        raise UploadUnreadable(str(error)) from error


def _require(names: Sequence[str]) -> None:
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise UploadUnreadable(f"the file lacks the column(s) {', '.join(missing)}")
    doubled = [name for name in (*REQUIRED, *OPTIONAL) if names.count(name) > 1]
    if doubled:
        raise UploadUnreadable(f"the file has the column(s) {', '.join(doubled)} more than once")


def _rows(batch: Batch, spec: FileSection) -> Iterator[UploadedRow]:
    """The batch's rows and its faults, in the order of the file."""
    columns = {name: _cells(name, column, spec) for name, column in batch.columns.items()}
    rows = [
        _bounded(UploadedRow(int(line), **dict(zip(columns, cells, strict=True))))
        for line, cells in zip(batch.lines, zip(*columns.values(), strict=True), strict=True)
    ]
    refused = [UploadedRow(fault.line, fault=fault.reason) for fault in batch.faults]
    yield from sorted([*rows, *refused], key=lambda row: row.line)


def _cells(name: str, column: pa.Array, spec: FileSection) -> list[str]:
    cells = [(cell or "").strip() for cell in values(texts(column, "."))]
    if name == "label_timestamp":
        moments = times_of(column, spec).moments
        return [text if np.isnat(m) else f"{m}+00:00" for m, text in zip(moments, cells, strict=True)]
    if name == "label" and spec.decimal == ",":
        return [text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text for text in cells]
    return cells


def _bounded(row: UploadedRow) -> UploadedRow:
    cells = {name: getattr(row, name) for name in (*REQUIRED, *OPTIONAL)}
    if max(map(len, cells.values())) <= MAXIMUM_CELL:
        return row
    cut = {name: text[:MAXIMUM_CELL] for name, text in cells.items()}
    return replace(row, **cut, fault=f"a value is longer than {MAXIMUM_CELL:,} characters")
