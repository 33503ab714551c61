"""The production pointer: which version answers requests."""

from selfheal.records.base import Record, UtcTime


class Pointer(Record):
    """Content of `pointers/production.json`; `decision_id` tells a writer whether the swap it made was its own.

    manifest_sha256: hash of the version's manifest as it was promoted; None in pointers of before there was one.
    last_pause: the ledger's number of the newest pause that stopped swaps of this pointer, 0 where none did.
    """

    version: str
    promoted_at: UtcTime
    previous_version: str | None
    decision_id: str
    manifest_sha256: str | None = None
    last_pause: int = 0
