"""Lines of plain cells told apart all at once: text without quotes, in which every line has as many cells."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

# Above it the reader of CSV decides what is too long.
LONGEST_CELL = 100_000
LINE_END = ord("\n")


def plain_columns(text: str, separator: str, width: int, wanted: Sequence[int], longest: int) -> list[pa.Array] | None:
    """The wanted columns of whole lines, each as n texts; None where the lines aren't plain.

    The outcome is that of `csv.reader`, which looks at every cell. longest: characters that a line may have.
    """
    lines = text.replace("\r\n", "\n")
    # An empty line is no row; among rows of one cell it would look like one. Blanks after a separator are no cell's.
    if width == 1 or len(separator) > 1 or '"' in lines or "\r" in lines:
        return None
    try:
        data = np.frombuffer((lines if lines.endswith("\n") else f"{lines}\n").encode(), dtype=np.uint8)
    except UnicodeEncodeError:
        return None
    is_mark = (data == LINE_END) | (data == ord(separator))
    marks = np.flatnonzero(is_mark)
    if len(marks) % width or not _is_grid(data[marks].reshape(-1, width) == LINE_END):
        return None
    ends = marks[width - 1 :: width]
    if _longest(ends) > longest or _longest(marks) > LONGEST_CELL:
        return None
    offsets = np.append(0, marks - np.arange(len(marks))).astype(np.int32)
    cells = pa.StringArray.from_buffers(len(marks), pa.py_buffer(offsets), pa.py_buffer(data[~is_mark]))
    rows = np.arange(0, len(marks), width)
    return [cells.take(pa.array(rows + position)) for position in wanted]


def _is_grid(is_end: np.ndarray) -> bool:
    """Whether each row of marks ends with its only line end."""
    return bool(is_end[:, -1].all()) and not is_end[:, :-1].any()


def _longest(ends: np.ndarray) -> int:
    return int(np.diff(ends, prepend=-1).max(initial=0))
