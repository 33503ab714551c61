"""Uploaded label files as rows of text, whatever they are written in."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import starmap
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from selfheal.contract.model import FileSection
from selfheal.errors import FileTooLarge, FileUnreadable, UploadTooLarge, UploadUnreadable
from selfheal.files.columns import texts, values
from selfheal.files.limits import UPLOAD, Limits
from selfheal.files.source import Batch
from selfheal.files.table import source_of
from selfheal.files.times import times_of
from selfheal.labels.rows import UploadedRow
from selfheal.records.external_ids import NAME

KEY, LABEL = "prediction_id", "label"
OPTIONAL = ("label_timestamp", "source")
# A row's cells, in the order of its fields.
CELLS = (KEY, NAME, LABEL, *OPTIONAL)
# Characters of a cell: what is refused is written into a file of refused rows.
MAXIMUM_CELL = 1_000
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


def check_size(size: int, limits: Limits) -> None:
    """Raises UploadTooLarge where a file has more bytes than it may unfold to: it needn't be read."""
    if size > limits.unfolded:
        raise UploadTooLarge(f"the file has {size:,} bytes, more than {limits.unfolded:,}: split it into parts")


def read_label_file(
    name: str, file: BinaryIO, spec: FileSection | None = None, id_column: str | None = None, limits: Limits = UPLOAD
) -> Iterator[UploadedRow]:
    """The rows of an uploaded file; `line` is the line in a text, else the number of the row.

    `spec` is the contract's `[file]` table. The separator is the one under which the header has a column `label`.
    Times come out in ISO 8601 where they are written as `spec` says, else as they are. With an `id_column` a row may
    name its prediction by the user's own id, in a column of that name or called `id`.

    Raises:
        UploadUnreadable: the file as a whole can't be read; the message gives the reason. It may come after some rows:
            keep none before all are read.
        UploadTooLarge: it has more rows or bytes than the limits allow. It may come after some rows, too.
    """
    spec = spec or FileSection()
    ids = () if id_column is None else tuple(dict.fromkeys((NAME, id_column)))
    try:
        source = source_of(name, file, spec, limits, known=(LABEL,))
        wanted = [KEY, *ids, LABEL, *OPTIONAL]
        if source.has_header:
            _require(source.names(), ids)
            wanted = [column for column in wanted if column in source.names()]
        for batch in source.batches(wanted):
            yield from _rows(batch, spec, ids)
    except FileTooLarge as error:
        raise UploadTooLarge(str(error)) from error
    except FileUnreadable as error:
        raise UploadUnreadable(str(error)) from error


def _require(names: Sequence[str], ids: Sequence[str]) -> None:
    key = [] if any(name in names for name in (KEY, *ids)) else [" or ".join((KEY, *ids))]
    missing = [*key, *([] if LABEL in names else [LABEL])]
    if missing:
        raise UploadUnreadable(f"the file lacks the column(s) {', '.join(missing)}")
    doubled = [name for name in (KEY, *ids, LABEL, *OPTIONAL) if names.count(name) > 1]
    if doubled:
        raise UploadUnreadable(f"the file has the column(s) {', '.join(doubled)} more than once")


def _rows(batch: Batch, spec: FileSection, ids: Sequence[str]) -> Iterator[UploadedRow]:
    """The batch's rows and its faults, in the order of the file."""
    columns = {name: _cells(name, column, spec) for name, column in batch.columns.items()}
    empty = [""] * len(batch.lines)
    known = [columns.pop(name) for name in ids if name in columns]
    columns[NAME] = [next(filter(None, cells), "") for cells in zip(*known, strict=True)] if known else empty
    cells = [columns.get(name, empty) for name in CELLS]
    rows: Iterable[UploadedRow] = starmap(UploadedRow, zip(batch.lines.tolist(), *cells, strict=True))
    if any(len(cell) > MAXIMUM_CELL for column in cells for cell in column):
        rows = map(_bounded, rows)
    if not batch.faults:
        yield from rows
        return
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
    cells = {name: getattr(row, name) for name in CELLS}
    if max(map(len, cells.values())) <= MAXIMUM_CELL:
        return row
    cut = {name: text[:MAXIMUM_CELL] for name, text in cells.items()}
    return replace(row, **cut, fault=f"a value is longer than {MAXIMUM_CELL:,} characters")
