"""What became of predictions that the prediction log didn't take."""

from selfheal.records.base import Record


class ReplayReport(Record):
    """Request ids: `put_back` now, `already_there` before, `incomplete` because a line of theirs is missing."""

    put_back: tuple[str, ...]
    already_there: tuple[str, ...]
    incomplete: tuple[str, ...]


class UndeliveredReport(Record):
    """Predictions that a stream couldn't place: `put_back` now, `already_there` before.

    `unreadable` are objects that hold lines which are no predictions, by key.
    """

    put_back: int
    already_there: int
    unreadable: tuple[str, ...]
