"""One prediction as it is logged, and the identifiers that say when it was made."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NotRequired, TypedDict

from ulid import ULID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The alphabet of a ULID leaves out I, L, O and U; Python's own goes on without gaps. What is in neither stays invalid.
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TO_BASE_32 = dict.fromkeys(range(128), "!") | str.maketrans(CROCKFORD, "0123456789abcdefghijklmnopqrstuv")

PREDICTION_ID = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}-[0-9]{4}$"

# A feature's value in a request and in the log: category features are strings, all others numbers.
type FeatureValue = float | int | str | bool | None


class Prediction(TypedDict):
    """One answered row; the log holds one JSON line of exactly these fields, in this order, for each.

    `id` is the caller's own, None where the row has none; lines of earlier releases lack it. Of several classes
    `prediction` is a class as users write it, `probability` its own, and `probabilities` holds all. Of a regression
    `prediction` is a number, `interval` its lower and upper end, and `probability` None. A dict, not a record: a
    request has up to ten thousand of them while a caller waits.
    """

    prediction_id: str
    id: NotRequired[str | None]
    timestamp: str
    model_version: str
    probability: float | None
    prediction: int | float | str
    probabilities: NotRequired[Mapping[str, float]]
    interval: NotRequired[Sequence[float]]
    features: Mapping[str, FeatureValue]


def new_request_id(moment: datetime) -> str:
    """A ULID that says when the request was answered; unique and random in its last 80 bits."""
    return str(ULID.from_datetime(moment))


def prediction_id(request_id: str, row: int) -> str:
    """The id of one row of a request."""
    return f"{request_id}-{row:04d}"


def timestamp_of(moment: datetime) -> str:
    """A moment in UTC as the log writes it: of one fixed width, so that text order is time order."""
    return f"{moment.isoformat(timespec='milliseconds')[:23]}Z"


def is_prediction_id(text: str) -> bool:
    """Whether a text has the form of a prediction's id and a time that a calendar knows."""
    if re.fullmatch(PREDICTION_ID, text) is None:
        return False
    try:
        moment_of(text)
    except ValueError:
        return False
    return True


def moment_of(identifier: str) -> datetime:
    """When a request or prediction id was made, in UTC, to the millisecond.

    Raises:
        ValueError: the text isn't such an id.
    """
    try:
        return EPOCH + timedelta(milliseconds=int(identifier[:10].translate(TO_BASE_32), 32))
    except OverflowError as error:
        raise ValueError(f"{identifier[:26]} is of no time that a calendar knows") from error
