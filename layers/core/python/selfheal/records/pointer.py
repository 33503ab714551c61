"""The production pointer: which version answers requests."""

from selfheal.records.base import Record, UtcTime


class Pointer(Record):
    """Content of `pointers/production.json`; `decision_id` tells a writer whether the swap it made was its own."""

    version: str
    promoted_at: UtcTime
    previous_version: str | None
    decision_id: str
