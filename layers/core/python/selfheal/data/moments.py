"""Moments as people's code has them (aware datetimes) and as tables have them (datetime64 in UTC)."""

from datetime import UTC, datetime

import numpy as np


def as_utc(moment: np.datetime64) -> datetime:
    """A moment of a table as an aware datetime."""
    value: datetime = moment.astype("datetime64[us]").astype(datetime)
    return value.replace(tzinfo=UTC)


def as_datetime64(moment: datetime) -> np.datetime64:
    """An aware datetime as tables hold it, to the microsecond."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")
