"""One prediction as it is logged, and the identifiers that say when it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ulid import ULID

# A feature's value in a request and in the log: category features are strings, all others numbers.
type FeatureValue = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answered row; the log holds one JSON line of exactly these fields for each."""

    prediction_id: str
    timestamp: str
    model_version: str
    probability: float
    prediction: int
    features: Mapping[str, FeatureValue]


def new_request_id(moment: datetime) -> str:
    """A ULID that says when the request was answered; unique and random in its last 80 bits."""
    return str(ULID.from_datetime(moment))


def prediction_id(request_id: str, row: int) -> str:
    """The id of one row of a request."""
    return f"{request_id}-{row:04d}"


def moment_of(identifier: str) -> datetime:
    """When a request or prediction id was made, in UTC, to the millisecond.

    Raises:
        ValueError: the text isn't such an id.
    """
    return ULID.from_str(identifier[:26]).datetime.astimezone(UTC)
