"""Uploaded label files as rows of text: CSV, JSON lines and Parquet, by the name's ending."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import orjson

from selfheal.errors import UploadUnreadable
from selfheal.labels.rows import UploadedRow
from selfheal.labels.values import text_of
from selfheal.records.external_ids import NAME

if TYPE_CHECKING:
    from pyarrow import RecordBatch

KEY, LABEL = "prediction_id", "label"
OPTIONAL = ("label_timestamp", "source")
# What the labels function takes in with half its memory and a quarter of its time.
MAXIMUM_BYTES = 50_000_000
MAXIMUM_ROWS = 200_000
# Characters of a JSON line: a whole file on one line would be parsed at once.
MAXIMUM_LINE = 100_000
# Rows of a Parquet file that are in memory as Python's own values at once.
BATCH_ROWS = 10_000
OUT_OF_RANGE = "a value is out of range: a time beyond the year 9999 or of an unknown zone, or text that is not UTF-8"

# The names of columns that may hold users' ids.
type Ids = tuple[str, ...]


def check_size(size: int) -> None:
    """Raises UploadUnreadable where a file has too many bytes to be read."""
    if size > MAXIMUM_BYTES:
        raise UploadUnreadable(
            f"the file has {size:,} bytes, more than {MAXIMUM_BYTES:,}: split it and upload the parts"
        )


def read_label_file(name: str, body: bytes, id_column: str | None = None) -> Iterator[UploadedRow]:
    """The rows of an uploaded file; `line` is the line in the file, for Parquet the number of the row.

    With an `id_column` a row may name its prediction by the user's id, in a column of that name or called `id`.

    Raises:
        UploadUnreadable: the file as a whole isn't what its name says, or has too many rows; the message gives the
            reason. It may come after some rows: keep none before all are read.
    """
    reader = _READERS.get(PurePosixPath(name).suffix.lower())
    if reader is None:
        raise UploadUnreadable(f"a label file's name ends with one of {', '.join(_READERS)}")
    ids = () if id_column is None else tuple(dict.fromkeys((NAME, id_column)))
    return _at_most(MAXIMUM_ROWS, reader(body, ids))


def _at_most(maximum: int, rows: Iterator[UploadedRow]) -> Iterator[UploadedRow]:
    for number, row in enumerate(rows, start=1):
        if number > maximum:
            raise UploadUnreadable(f"the file has more than {maximum:,} rows: split it and upload the parts")
        yield row


def _csv_rows(body: bytes, ids: Ids) -> Iterator[UploadedRow]:
    reader = csv.DictReader(_text_lines(body, newline=""), strict=True)
    try:
        _require(reader.fieldnames or (), ids)
        for cells in reader:
            yield _row(reader.line_num, cells, ids)
    except csv.Error as error:
        raise UploadUnreadable(f"not CSV: {error} (line {reader.line_num})") from error


def _json_rows(body: bytes, ids: Ids) -> Iterator[UploadedRow]:
    # A string of JSON may hold any other character that ends a line of text somewhere (U+2028, U+0085).
    for number, line in enumerate(_text_lines(body, newline="\n"), start=1):
        if line.strip():
            yield _json_row(number, line, ids)


def _json_row(number: int, line: str, ids: Ids) -> UploadedRow:
    if len(line) > MAXIMUM_LINE:
        return UploadedRow(number, fault=f"the line is longer than {MAXIMUM_LINE:,} characters: give each row its own")
    try:
        cells = orjson.loads(line)
    except orjson.JSONDecodeError:
        return UploadedRow(number, fault="the line is not JSON")
    if not isinstance(cells, dict):
        return UploadedRow(number, fault="the line is not a JSON object")
    return _row(number, cells, ids)


def _parquet_rows(body: bytes, ids: Ids) -> Iterator[UploadedRow]:
    rows = (cells for batch in _batches(body, ids) for cells in _cells_of(batch))
    for number, cells in enumerate(rows, start=1):
        yield UploadedRow(number, fault=OUT_OF_RANGE) if cells is None else _row(number, cells, ids)


def _batches(body: bytes, ids: Ids) -> "Iterator[RecordBatch]":
    import pyarrow as pa  # only where a Parquet file arrives
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(body))
        names = file.schema_arrow.names
        _require(names, ids)
        known = [name for name in (KEY, *ids, LABEL, *OPTIONAL) if name in names]
        yield from file.iter_batches(BATCH_ROWS, columns=known)
    except (pa.ArrowException, OSError) as error:
        raise UploadUnreadable("not Parquet") from error


def _cells_of(batch: "RecordBatch") -> Iterator[dict[str, object] | None]:
    """The rows of a batch; None for one that holds what Python can't: Parquet's times reach further than its own."""
    try:
        rows = batch.to_pylist()
    except _BEYOND_PYTHON:
        rows = None
    if rows is not None:
        yield from rows
    elif batch.num_rows == 1:
        yield None
    else:
        half = batch.num_rows // 2
        yield from _cells_of(batch.slice(0, half))
        yield from _cells_of(batch.slice(half))


# Years beyond 9999, text that isn't UTF-8, time zones that nobody knows.
_BEYOND_PYTHON = (ValueError, OverflowError, LookupError)

_READERS: dict[str, Callable[[bytes, Ids], Iterator[UploadedRow]]] = {
    ".csv": _csv_rows,
    ".jsonl": _json_rows,
    ".ndjson": _json_rows,
    ".json": _json_rows,
    ".parquet": _parquet_rows,
}


def _text_lines(body: bytes, newline: str) -> Iterator[str]:
    try:
        yield from io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", newline=newline)
    except UnicodeDecodeError as error:
        raise UploadUnreadable("not text in UTF-8: save the file as UTF-8 and upload it again") from error


def _require(columns: Sequence[str], ids: Ids) -> None:
    key = [] if any(name in columns for name in (KEY, *ids)) else [" or ".join((KEY, *ids))]
    missing = [*key, *([] if LABEL in columns else [LABEL])]
    if missing:
        raise UploadUnreadable(f"the file lacks the column(s) {', '.join(missing)}")
    doubled = [name for name in (KEY, *ids, LABEL, *OPTIONAL) if columns.count(name) > 1]
    if doubled:
        raise UploadUnreadable(f"the file has the column(s) {', '.join(doubled)} more than once")


def _row(line: int, cells: Mapping[str, object], ids: Ids) -> UploadedRow:
    own_id = next(filter(None, (text_of(cells.get(name)) for name in ids)), "")
    return UploadedRow(line, id=own_id, **{name: text_of(cells.get(name)) for name in (KEY, LABEL, *OPTIONAL)})
