"""Roll closed hours up, so that a day is read as 24 objects instead of one for every request."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from selfheal.composition import Stores
from selfheal.stores.rollups import HORIZON, HOUR, closed_hours

# So that a run that has a month to catch up with ends within its time; the next one goes on.
HOURS_A_RUN = 100
# A request may be tried again, and logged by its first moment, for two days. Its hour is looked at again once a day.
LATE = timedelta(days=3)
OPEN_TOO_LONG = timedelta(days=1)


def roll_up_closed_hours(stores: Stores, now: datetime) -> tuple[datetime, ...]:
    """Roll up what has closed; returns hours that can't be rolled up and are open since a day and more.

    Hours without traffic are marked too, so that an hour that is missing is one that is open. A log object that
    can't be read leaves its hour open, and the others are rolled up all the same. Objects that came late are taken in
    with the first hour of a day; until then they are read beside the roll-up.

    Raises:
        StoreUnavailable: a store doesn't answer; what was rolled up so far stays.
    """
    oldest = stores.rollups.oldest_logged_hour()
    if oldest is None:
        return ()
    since = max(oldest, now - HORIZON)
    done = stores.rollups.hours_between(since, now)
    hours = list(closed_hours(since, now))
    unreadable = _bring_up_to_date(stores, _due(hours, done, now), done)
    return tuple(hour for hour in unreadable if hour not in done and hour < now - OPEN_TOO_LONG)


def _due(hours: Sequence[datetime], done: Mapping[datetime, bool], now: datetime) -> list[datetime]:
    """The hours to work on, oldest first: a crash before a day's first hour leaves the late ones due as well."""
    is_new_day = any(hour.hour == 0 and hour not in done for hour in hours)
    return [hour for hour in hours if hour not in done or (is_new_day and hour > now - LATE)][:HOURS_A_RUN]


def _bring_up_to_date(stores: Stores, due: Sequence[datetime], done: Mapping[datetime, bool]) -> list[datetime]:
    """Work on the hours that are due; returns those that hold what can't be read."""
    if not due:
        return []
    logged = stores.rollups.logged_between(due[0], due[-1] + HOUR)
    return [hour for hour in due if not _is_up_to_date(stores, hour, logged.get(hour, ()), has_rollup=done.get(hour))]


def _is_up_to_date(stores: Stores, hour: datetime, keys: Sequence[str], *, has_rollup: bool | None) -> bool:
    """Whether all that could be read of an hour is in its roll-up now; `has_rollup` is False for a marker alone."""
    try:
        if has_rollup:
            stores.rollups.add_late(hour, keys)
        elif keys or has_rollup is None:
            stores.rollups.roll_up(hour, keys)
    except ValueError:
        return False
    return True
