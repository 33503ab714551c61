"""Answers beside the rows that they are of, and refused rows with their reasons, as CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from selfheal.batches.layout import ANSWER
from selfheal.records.batches import RefusedRow
from selfheal.text import spreadsheet_cell

REFUSED = ("line", "id", "reason")
LONGEST_CELL = 300


def answers_header(kept: Sequence[str]) -> str:
    """The first line of the answers."""
    return _csv([(*kept, *ANSWER)])


def answers(cells: Sequence[tuple[str, ...]], predictions: Sequence[Mapping[str, Any]]) -> str:
    """One line a row: its cells as the file has them, then the answer."""
    return _csv(
        (*row, *(prediction[name] for name in ANSWER)) for row, prediction in zip(cells, predictions, strict=True)
    )


def refused_header() -> str:
    """The first line of the refused rows."""
    return _csv([REFUSED])


def refused(rows: Sequence[RefusedRow]) -> str:
    """One line a row: where it is in the file, its id, and why it is refused. People open this in a spreadsheet."""
    return _csv(
        (row.line, spreadsheet_cell(row.id, LONGEST_CELL), spreadsheet_cell(row.reason, LONGEST_CELL)) for row in rows
    )


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
