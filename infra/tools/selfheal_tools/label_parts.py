"""A file of labels on this machine, cut into parts where it is more than the labels function takes in at once."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfheal.errors import UploadUnreadable
from selfheal.files.limits import LOCAL, UPLOAD
from selfheal.labels.cutting import Rows, check_parts, cut, extent_of, parts_needed
from selfheal.labels.files import read_label_file
from selfheal.labels.rows import UploadedRow
from selfheal.labels.terms import LabelTerms

# Nobody gets more than 200,000 rows into so few bytes.
SURELY_ONE = 100_000


@contextmanager
def parts_of(path: Path, terms: LabelTerms) -> Iterator[list[Path]]:
    """The parts of a file as files of their own while the context lasts; none where it is taken in as it is.

    A file that can't be read is left as it is, too: whoever takes it in says why. Raises UploadUnreadable where it is
    too large for that.
    """

    def rows() -> Iterator[UploadedRow]:
        with path.open("rb") as file:
            yield from read_label_file(path.name, file, terms.file, terms.id_column, LOCAL)

    parts = _needed(path.stat().st_size, rows)
    if parts is None:
        yield []
        return
    with tempfile.TemporaryDirectory() as folder:
        files = cut(rows, parts, Path(folder))
        check_parts(files, UPLOAD)
        yield files


def _needed(size: int, rows: Rows) -> int | None:
    if size <= SURELY_ONE:
        return None
    try:
        extent = extent_of(rows)
    except UploadUnreadable:
        if size > UPLOAD.unfolded:
            raise
        return None
    is_one = extent.rows <= UPLOAD.rows and max(extent.size, size) <= UPLOAD.unfolded
    return None if is_one else parts_needed(extent, UPLOAD)
