"""Who asked first: what an idempotency key stands for."""

from collections.abc import Mapping
from typing import Any

from selfheal.records.base import Record


class Claim(Record):
    """The first request under a key: its prediction ids follow from `request_id` and `rows`.

    predictions: what was answered, where the log can't be read at once; as `records.predictions.Prediction`.
    """

    request_id: str
    rows: int
    body_sha256: str
    predictions: tuple[Mapping[str, Any], ...] | None = None
