"""What became of the requests that a function's log held instead of the prediction log."""

from selfheal.records.base import Record


class ReplayReport(Record):
    """Request ids: `put_back` now, `already_there` before, `incomplete` because a line of theirs is missing."""

    put_back: tuple[str, ...]
    already_there: tuple[str, ...]
    incomplete: tuple[str, ...]
