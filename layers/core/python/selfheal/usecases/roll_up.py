"""Roll closed hours up, so that a day is read as 24 objects instead of one for every request."""

from datetime import datetime

from selfheal.composition import Stores
from selfheal.stores.rollups import HORIZON, LATE, HourlyRollups, closed_hours

# So that a run that has a month to catch up with ends within its time; the next one goes on.
HOURS_A_RUN = 100


def roll_up_closed_hours(stores: Stores, now: datetime) -> tuple[datetime, ...]:
    """Roll up what has closed, pick up late objects of the last two days; returns hours open since a day and more.

    Hours without traffic are rolled up too, so that an hour that is missing is one that is open. A log object that
    can't be read leaves its hour open, and the others are rolled up all the same.

    Raises:
        StoreUnavailable: a store doesn't answer; what was rolled up so far stays.
    """
    rollups = stores.rollups
    oldest = rollups.oldest_logged_hour()
    if oldest is None:
        return ()
    since = max(oldest, now - HORIZON)
    done = rollups.hours_between(since, now)
    hours = list(closed_hours(since, now))
    due = [hour for hour in hours if hour not in done or hour > now - LATE]
    for hour in due[:HOURS_A_RUN]:
        if _rolled_up(rollups, hour):
            done.add(hour)
    return tuple(hour for hour in hours if hour not in done and hour < now - LATE / 2)


def _rolled_up(rollups: HourlyRollups, hour: datetime) -> bool:
    try:
        rollups.roll_up(hour)
    except ValueError:
        return False
    return True
