"""Who asked first: what an idempotency key stands for."""

from selfheal.records.base import Record


class Claim(Record):
    """The first request under a key: its prediction ids follow from `request_id` and `rows`."""

    request_id: str
    rows: int
    body_sha256: str
