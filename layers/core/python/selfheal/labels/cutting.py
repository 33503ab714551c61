"""Cut a file of labels into parts: it is read twice, so that no more of it than a batch of rows is in memory."""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from selfheal.errors import UploadTooLarge
from selfheal.files.limits import Limits
from selfheal.labels.parts import part_of, to_line
from selfheal.labels.rows import UploadedRow

# Reads a file anew.
type Rows = Callable[[], Iterator[UploadedRow]]


@dataclass(frozen=True, slots=True)
class Extent:
    """What the rows of a file come to: how many there are, bytes of their lines in parts, and a hash of these."""

    rows: int
    size: int
    digest: str


def extent_of(rows: Rows) -> Extent:
    """Read all rows, and keep none. Raises UploadUnreadable."""
    count = size = 0
    digest = hashlib.sha256()
    for row in rows():
        line = to_line(row)
        count, size = count + 1, size + len(line)
        digest.update(line)
    return Extent(count, size, digest.hexdigest())


def parts_needed(extent: Extent, of_one: Limits) -> int:
    """How many parts there have to be for each to be within limits: rows spread by hashes, so that some have more."""
    return max(1, -(-extent.rows // round(0.9 * of_one.rows)), -(-extent.size // round(0.8 * of_one.unfolded)))


def cut(rows: Rows, parts: int, folder: Path, head: bytes = b"") -> list[Path]:
    """Write the parts, each with the same first line, into an empty folder.

    Raises:
        UploadUnreadable: the rows can't be read.
    """
    files = [folder / f"{part:04d}.jsonl" for part in range(parts)]
    with ExitStack() as stack:
        opened: list[io.BufferedWriter] = [stack.enter_context(file.open("wb")) for file in files]
        for file in opened:
            file.write(head)
        for row in rows():
            opened[part_of(row, parts)].write(to_line(row))
    return files


def check_parts(files: Sequence[Path], of_one: Limits) -> None:
    """Raises UploadTooLarge where a part came out too large, since all rows of a prediction are in one."""
    if max(file.stat().st_size for file in files) > of_one.unfolded:
        raise UploadTooLarge(
            f"the rows of one prediction, or of a few, take more than {of_one.unfolded:,} bytes: leave out those that "
            "say the same again"
        )
