"""Parts of a file of labels that has more rows than one function takes in: each is an upload of its own.

A part holds all rows of the predictions that it holds any of, in the order of the file, each with its line there. So
what becomes of a row is what would have become of it in the whole file.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from selfheal.errors import UploadUnreadable
from selfheal.labels.rows import UploadedRow
from selfheal.prefixes import LABELS_INCOMING, LABELS_PARTS

# Below this name parts are uploaded.
PARTS = LABELS_PARTS.removeprefix(LABELS_INCOMING)
FIELDS = {"line": int} | dict.fromkeys(("prediction_id", "id", "label", "label_timestamp", "source", "fault"), str)
MOMENT = "uploaded_at"
# S3's limit, in bytes of UTF-8.
LONGEST_KEY = 1024


@dataclass(frozen=True, slots=True)
class Part:
    """A part's rows, which can be read once. uploaded_at: when the whole file was; None where the part doesn't say."""

    rows: Iterator[UploadedRow]
    uploaded_at: datetime | None


def part_of(row: UploadedRow, parts: int) -> int:
    """The part that a row belongs to, from 0 on: the same one for all rows of a prediction.

    Rows that name none, among them those that can't be read, are spread by their lines.
    """
    key = row.prediction_id or row.id.strip()
    return zlib.crc32((str(row.line) if row.fault or not key else key).encode()) % parts


def part_name(name: str, part: int, parts: int, mark: str = "") -> str:
    """What a part is called below `labels/incoming/`; a name that S3 has no room for is cut, its mark never is."""
    ending = f"{mark}/{part + 1:04d}-of-{parts:04d}.jsonl"
    cut = name.encode()[: LONGEST_KEY - len(LABELS_PARTS) - len(ending)].decode(errors="ignore")
    return f"{PARTS}{cut}{ending}"


def to_line(row: UploadedRow) -> bytes:
    """A row as a line of a part."""
    cells = {
        "line": row.line,
        "prediction_id": row.prediction_id,
        "id": row.id,
        "label": row.label,
        "label_timestamp": row.label_timestamp,
        "source": row.source,
        "fault": row.fault,
    }
    return orjson.dumps(cells, option=orjson.OPT_APPEND_NEWLINE)


def first_line(uploaded_at: datetime) -> bytes:
    """What says above the rows when the whole file was uploaded, whenever it is cut into parts."""
    return orjson.dumps({MOMENT: uploaded_at}, option=orjson.OPT_APPEND_NEWLINE)


def read_part(body: bytes) -> Part:
    """Read a part.

    Raises:
        UploadUnreadable: nobody made this by `to_line`. It may come after some rows.
    """
    lines = body.splitlines()
    uploaded_at = _moment(lines[0]) if lines else None
    above = 0 if uploaded_at is None else 1
    return Part((_row(text, number) for number, text in enumerate(lines[above:], start=above + 1)), uploaded_at)


def _moment(text: bytes) -> datetime | None:
    try:
        moment = datetime.fromisoformat(orjson.loads(text)[MOMENT])
    except (KeyError, TypeError, ValueError):
        return None
    return None if moment.tzinfo is None else moment


def _row(text: bytes, number: int) -> UploadedRow:
    try:
        cells: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UploadUnreadable(f"line {number} is not JSON: {error}") from error
    if not isinstance(cells, dict) or {name: type(cell) for name, cell in cells.items()} != FIELDS:
        raise UploadUnreadable(f"line {number} is no row of a part: `{PARTS}` is for parts of large files alone")
    return UploadedRow(**cells)
