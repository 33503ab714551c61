"""Parts of a file that has more rows than one function answers: its rows as they were read, each with its line.

The function alone writes them, as streams of Arrow one after the other: a value has the type that it has in the file.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from pyarrow import ipc

from selfheal.files.limits import Limits
from selfheal.files.source import BATCH_ROWS, Batch, RowFault

LINES = "lines"
FAULTS = b"faults"
# Of what one function takes in, as the rows of a batch stay together.
FULL = 0.8


def cut(batches: Iterable[Batch], columns: int, of_one: Limits) -> Iterator[bytes]:
    """The parts of a file, in its order, one in memory at a time."""
    most = max(1, int(FULL * min(of_one.rows, of_one.cells // max(columns, 1))))
    bodies, rows, size = list[bytes](), 0, 0
    for batch in batches:
        for some in _sliced(batch, min(BATCH_ROWS, most)):
            body, more = _to_bytes(some), len(some.lines) + len(some.faults)
            if bodies and (rows + more > most or size + len(body) > FULL * of_one.unfolded):
                yield b"".join(bodies)
                bodies, rows, size = [], 0, 0
            bodies.append(body)
            rows, size = rows + more, size + len(body)
    yield b"".join(bodies)


class PartFile:
    """A part that is read like the file that it is of (see `Source`)."""

    unit = "line"
    has_header = True

    def __init__(self, name: str, body: bytes) -> None:
        self.name, self.odd = name, dict[str, str]()
        self._batches = list(_batches(body))

    def names(self) -> list[str]:
        """The columns, in the order of the file."""
        return list(self._batches[0].columns)

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """See Source."""
        for batch in self._batches:
            yield Batch({name: batch.columns[name] for name in wanted}, batch.lines, batch.faults)


def _sliced(batch: Batch, rows: int) -> Iterator[Batch]:
    """A batch in batches of so many rows: a sheet's is as large as the sheet."""
    faults = sorted(batch.faults)
    for start in range(0, max(len(batch.lines), 1), rows):
        columns = {name: column.slice(start, rows) for name, column in batch.columns.items()}
        following = batch.lines[start + rows : start + rows + 1]
        above = bisect_left(faults, (following[0],)) if len(following) else len(faults)
        yield Batch(columns, batch.lines[start : start + rows], faults[:above])
        faults = faults[above:]


def _to_bytes(batch: Batch) -> bytes:
    # The lines come first: a column of the file may have the same name.
    names = [LINES, *batch.columns]
    faults = {FAULTS: json.dumps([[fault.line, fault.reason] for fault in batch.faults]).encode()}
    rows = pa.record_batch([pa.array(batch.lines), *batch.columns.values()], names=names).replace_schema_metadata(
        faults
    )
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, rows.schema) as stream:
        stream.write_batch(rows)
    body: bytes = sink.getvalue().to_pybytes()
    return body


def _batches(body: bytes) -> Iterator[Batch]:
    source = pa.BufferReader(body)
    while source.tell() < len(body):
        with ipc.open_stream(source) as stream:
            rows = stream.read_next_batch()
            # To the end of this stream, where the next one begins.
            stream.read_all()
        lines, *columns = rows.columns
        faults = [RowFault(line, reason) for line, reason in json.loads(rows.schema.metadata[FAULTS])]
        named = dict(zip(rows.schema.names[1:], columns, strict=True))
        yield Batch(named, lines.to_numpy(zero_copy_only=False).astype(np.int64), faults)
