"""A file of labels on this machine, cut into parts where it is more than the labels function takes in at once."""

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from selfheal.errors import UploadUnreadable
from selfheal.files.limits import LOCAL
from selfheal.labels.files import MAXIMUM_BYTES, MAXIMUM_ROWS, read_label_file
from selfheal.labels.parts import part_of, parts_needed, to_line
from selfheal.labels.rows import UploadedRow
from selfheal.labels.terms import LabelTerms

# Nobody gets more than 200,000 rows into so few bytes.
SURELY_ONE = 100_000

type Rows = Callable[[], Iterator[UploadedRow]]


@contextmanager
def parts_of(name: str, body: bytes, terms: LabelTerms) -> Iterator[list[Path]]:
    """The parts of a file as files of their own while the context lasts; none where it is taken in as it is.

    A file that can't be read is left as it is, too: whoever takes it in says why. Raises UploadUnreadable where it is
    too large for that.
    """

    def rows() -> Iterator[UploadedRow]:
        return read_label_file(name, body, terms.file, terms.id_column, LOCAL)

    parts = _needed(body, rows)
    if parts is None:
        yield []
        return
    with tempfile.TemporaryDirectory() as folder:
        yield _written(Path(folder), rows, parts)


def _needed(body: bytes, rows: Rows) -> int | None:
    if len(body) <= SURELY_ONE:
        return None
    count = size = 0
    try:
        for row in rows():
            count += 1
            size += len(to_line(row))
    except UploadUnreadable:
        if len(body) > MAXIMUM_BYTES:
            raise
        return None
    is_one = count <= MAXIMUM_ROWS and max(size, len(body)) <= MAXIMUM_BYTES
    return None if is_one else parts_needed(count, size)


def _written(folder: Path, rows: Rows, parts: int) -> list[Path]:
    files = [folder / f"{part:04d}.jsonl" for part in range(parts)]
    with ExitStack() as stack:
        opened: list[io.BufferedWriter] = [stack.enter_context(file.open("wb")) for file in files]
        for row in rows():
            opened[part_of(row, parts)].write(to_line(row))
    return files
