"""Uploaded label files as rows of text: CSV, JSON lines and Parquet, by the name's ending."""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import orjson

from selfheal.errors import UploadUnreadable
from selfheal.labels.values import text_of

REQUIRED = ("prediction_id", "label")
OPTIONAL = ("label_timestamp", "source")


@dataclass(frozen=True, slots=True)
class UploadedRow:
    """One row as it was uploaded, every cell as text; `fault` says why the row couldn't be read at all."""

    line: int
    prediction_id: str = ""
    label: str = ""
    label_timestamp: str = ""
    source: str = ""
    fault: str = ""


def read_label_file(name: str, body: bytes) -> Iterator[UploadedRow]:
    """The rows of an uploaded file; `line` is the line in the file, for Parquet the number of the row.

    Raises:
        UploadUnreadable: the file as a whole isn't what its name says; the message gives the reason.
    """
    reader = _READERS.get(PurePosixPath(name).suffix.lower())
    if reader is None:
        raise UploadUnreadable(f"a label file's name ends with one of {', '.join(_READERS)}")
    return reader(body)


def _csv_rows(body: bytes) -> Iterator[UploadedRow]:
    reader = csv.DictReader(io.StringIO(_text(body), newline=""), strict=True)
    try:
        _require(reader.fieldnames or ())
        for cells in reader:
            yield _row(reader.line_num, cells)
    except csv.Error as error:
        raise UploadUnreadable(f"not CSV: {error} (line {reader.line_num})") from error


def _json_rows(body: bytes) -> Iterator[UploadedRow]:
    for number, line in enumerate(_text(body).splitlines(), start=1):
        if line.strip():
            yield _json_row(number, line)


def _json_row(number: int, line: str) -> UploadedRow:
    try:
        cells = orjson.loads(line)
    except orjson.JSONDecodeError:
        return UploadedRow(number, fault="the line is not JSON")
    if not isinstance(cells, dict):
        return UploadedRow(number, fault="the line is not a JSON object")
    return _row(number, cells)


def _parquet_rows(body: bytes) -> Iterator[UploadedRow]:
    import pyarrow as pa  # only where a Parquet file arrives
    from pyarrow import parquet

    try:
        table = parquet.read_table(io.BytesIO(body))
    except (pa.ArrowException, OSError) as error:
        raise UploadUnreadable("not Parquet") from error
    _require(table.column_names)
    known = [name for name in (*REQUIRED, *OPTIONAL) if name in table.column_names]
    for number, cells in enumerate(table.select(known).to_pylist(), start=1):
        yield _row(number, cells)


_READERS: dict[str, Callable[[bytes], Iterator[UploadedRow]]] = {
    ".csv": _csv_rows,
    ".jsonl": _json_rows,
    ".ndjson": _json_rows,
    ".json": _json_rows,
    ".parquet": _parquet_rows,
}


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UploadUnreadable(f"not text in UTF-8 (byte {error.start})") from error


def _require(columns: Collection[str]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise UploadUnreadable(f"the file lacks the column(s) {', '.join(missing)}")


def _row(line: int, cells: Mapping[str, object]) -> UploadedRow:
    return UploadedRow(line, **{name: text_of(cells.get(name)) for name in (*REQUIRED, *OPTIONAL)})
