"""Files of rows that are to be answered: what was refused, and what became of the whole."""

from selfheal.records.base import Reason, Record, UtcTime


class RefusedRow(Record):
    """A row that can't be answered: where it is in the file, its user's id where it could be read, and why."""

    line: int
    id: str = ""
    reason: Reason


class BatchReport(Record):
    """What became of one uploaded file; `reason` says why it was refused as a whole, `done` how its keys begin.

    parts: below which keys the same is told of each part of a large file; the numbers count none of their rows.
    """

    upload: str
    done: str
    uploaded_at: UtcTime
    answered: int = 0
    refused: int = 0
    reason: Reason = ""
    parts: tuple[str, ...] = ()
