"""Parts of a file of labels that has more rows than one function takes in: each is an upload of its own.

A part holds all rows of the predictions that it holds any of, in the order of the file, each with its line there. So
what becomes of a row is what would have become of it in the whole file.
"""

import zlib
from collections.abc import Iterator
from typing import Any

import orjson

from selfheal.errors import UploadUnreadable
from selfheal.labels.files import MAXIMUM_BYTES, MAXIMUM_ROWS
from selfheal.labels.rows import UploadedRow

# Below this name parts are uploaded.
PARTS = "parts/"
FIELDS = {"line": int} | dict.fromkeys(("prediction_id", "id", "label", "label_timestamp", "source", "fault"), str)
# Of a part on the average: none is much larger, as predictions are spread by the hashes of their ids.
WANTED_ROWS, WANTED_BYTES = round(0.9 * MAXIMUM_ROWS), round(0.8 * MAXIMUM_BYTES)


def parts_needed(rows: int, size: int) -> int:
    """How many parts a file of so many rows has, whose lines take so many bytes."""
    return max(1, -(-rows // WANTED_ROWS), -(-size // WANTED_BYTES))


def part_of(row: UploadedRow, parts: int) -> int:
    """The part that a row belongs to, from 0 on: the same one for all rows of a prediction."""
    return zlib.crc32(f"{row.prediction_id}\0{row.id}".encode()) % parts


def part_name(name: str, part: int, parts: int) -> str:
    """What a part is called below `labels/incoming/`."""
    return f"{PARTS}{name}/{part + 1:04d}-of-{parts:04d}.jsonl"


def to_line(row: UploadedRow) -> bytes:
    """A row as a line of a part."""
    return orjson.dumps({name: getattr(row, name) for name in FIELDS}, option=orjson.OPT_APPEND_NEWLINE)


def read_part(body: bytes) -> Iterator[UploadedRow]:
    """The rows of a part.

    Raises:
        UploadUnreadable: nobody made this by `to_line`, or it has too many rows. It may come after some rows.
    """
    for number, text in enumerate(body.splitlines(), start=1):
        if number > MAXIMUM_ROWS:
            raise UploadUnreadable(f"the part has more than {MAXIMUM_ROWS:,} rows")
        yield _row(text, number)


def _row(text: bytes, number: int) -> UploadedRow:
    try:
        cells: Any = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise UploadUnreadable(f"line {number} is not JSON: {error}") from error
    if not isinstance(cells, dict) or {name: type(cell) for name, cell in cells.items()} != FIELDS:
        raise UploadUnreadable(f"line {number} is no row of a part: `{PARTS}` is for what `selfheal labels` uploads")
    return UploadedRow(**cells)
