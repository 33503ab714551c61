"""What a Feather file unfolds to, told from its messages before any of it is unfolded."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from pyarrow import ipc

MAGIC_BYTES = 8
# Kinds of a message's header, by Arrow's Message.fbs.
DICTIONARY_BATCH, RECORD_BATCH = 2, 3
# Fields of its tables, in the order of the schema; a table lists where each lies, two bytes a field.
HEADER_TYPE, HEADER = 1, 2
DICTIONARY_DATA = 1
LENGTH, BUFFERS, COMPRESSION = 0, 2, 3
BUFFER_BYTES = 16
# A compressed buffer begins with its unfolded length; this one says that it isn't compressed after all.
AS_IT_IS = -1


def unfolded_bytes(file: BinaryIO) -> tuple[int, int]:
    """Rows of all record batches, and bytes of all buffers once unfolded.

    Raises what pyarrow and struct raise at a file that is none (ArrowException, OSError, ValueError).
    """
    file.seek(MAGIC_BYTES)
    rows = size = 0
    for message in ipc.MessageReader.open_stream(file):
        try:
            more_rows, more = _of_message(message.metadata.to_pybytes(), message.body)
        except (struct.error, IndexError, TypeError) as error:
            raise ValueError("a message is broken") from error
        rows, size = rows + more_rows, size + more
    return rows, size


def _of_message(metadata: bytes, body: memoryview) -> tuple[int, int]:
    root = struct.unpack_from("<I", metadata, 0)[0]
    place = _field(metadata, root, HEADER_TYPE)
    kind = metadata[place] if place else 0
    if kind not in {DICTIONARY_BATCH, RECORD_BATCH}:
        return 0, 0
    batch = _table(metadata, _field(metadata, root, HEADER))
    if kind == DICTIONARY_BATCH:
        batch = _table(metadata, _field(metadata, batch, DICTIONARY_DATA))
    place = _field(metadata, batch, LENGTH)
    rows = struct.unpack_from("<q", metadata, place)[0] if place and kind == RECORD_BATCH else 0
    is_compressed = _field(metadata, batch, COMPRESSION) > 0
    return rows, sum(_unfolded(body, *buffer, is_compressed=is_compressed) for buffer in _buffers(metadata, batch))


def _unfolded(body: memoryview, offset: int, length: int, *, is_compressed: bool) -> int:
    if not is_compressed or length < struct.calcsize("<q"):
        return length
    told: int = struct.unpack_from("<q", body, offset)[0]
    return length if told == AS_IT_IS else max(told, 0)


def _buffers(metadata: bytes, batch: int) -> Iterator[tuple[int, int]]:
    vector = _table(metadata, _field(metadata, batch, BUFFERS))
    count = struct.unpack_from("<I", metadata, vector)[0]
    for number in range(count):
        yield struct.unpack_from("<qq", metadata, vector + 4 + BUFFER_BYTES * number)


def _table(metadata: bytes, place: int) -> int:
    """Where the offset at this place points to."""
    return place + int(struct.unpack_from("<I", metadata, place)[0])


def _field(metadata: bytes, table: int, number: int) -> int:
    """Where a table's field lies; 0 where the table doesn't have it."""
    listing = table - struct.unpack_from("<i", metadata, table)[0]
    if struct.unpack_from("<H", metadata, listing)[0] < 6 + 2 * number:
        return 0
    offset = struct.unpack_from("<H", metadata, listing + 4 + 2 * number)[0]
    return table + int(offset) if offset else 0
