"""Roll closed hours up, so that a day is read as 24 objects instead of one for every request.

Hours that are too large for this are rolled up in parts by a state machine, and read by the first run that finds them
done (`usecases.roll_up`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from selfheal.hours.size import Objects, is_large
from selfheal.stores.collection import Stores
from selfheal.stores.large_hours import LargeHours
from selfheal.stores.rollups import HORIZON, HOUR, closed_hours

# So that a run that has a month to catch up with ends within its time; the next one goes on.
HOURS_A_RUN = 100
# Each of these runs many functions at once, which other functions of the account have to go without.
LARGE_HOURS_A_RUN = 6
# A request may be tried again, and logged by its first moment, as long as its idempotency key is kept.
LATE = timedelta(days=3)
OPEN_TOO_LONG = timedelta(days=1)


def roll_up_closed_hours(stores: Stores, now: datetime, large_hours: LargeHours | None = None) -> tuple[datetime, ...]:
    """Roll up what has closed; returns hours that can't be rolled up and are open since a day and more.

    Large hours, or what came late of them where that is much, are left to `large_hours`; where there is none they are
    rolled up here.

    Hours without traffic are marked too, so that an hour that is missing is one that is open. A log object that
    can't be read leaves its hour open, and the others are rolled up all the same. Objects that came late are taken in
    before the first hour of a new day; until then they are read beside the roll-up.

    Raises:
        StoreUnavailable: a store doesn't answer; what was rolled up so far stays.
    """
    oldest = stores.rollups.oldest_logged_hour()
    if oldest is None:
        return ()
    since = max(oldest, now - HORIZON)
    done = stores.rollups.hours_between(since, now)
    still_open = [hour for hour in closed_hours(since, now) if hour not in done]
    due = sorted([*_late(done, still_open), *still_open[:HOURS_A_RUN]])
    unreadable = _bring_up_to_date(_Work(stores, now, large_hours), due, done)
    return tuple(hour for hour in unreadable if hour not in done and hour < now - OPEN_TOO_LONG)


def will_roll_up(hour: datetime, now: datetime) -> bool:
    """Whether the runs to come still look for an hour that isn't rolled up; a day's margin for one that is late."""
    return hour > now - HORIZON + OPEN_TOO_LONG


def _late(done: Mapping[datetime, bool], still_open: Sequence[datetime]) -> list[datetime]:
    """The hours to look at again, before a new day's first hour is rolled up: a crash leaves them due.

    The last time was before the first hour of the newest day that is done, however long ago that is.
    """
    if not done or not still_open:
        return []
    newest = max(done)
    is_new_day = still_open[-1].date() > newest.date()
    last_time = newest.replace(hour=0)
    return [hour for hour in done if hour > last_time - LATE] if is_new_day else []


def _bring_up_to_date(work: "_Work", due: Sequence[datetime], done: Mapping[datetime, bool]) -> list[datetime]:
    """Work on the hours that are due; returns those that hold what can't be read."""
    if not due:
        return []
    rollups = work.stores.rollups
    logged = rollups.logged_between(due[0], due[-1] + HOUR)
    unreadable = [hour for hour in due if not work.is_done(hour, logged.get(hour, {}), has_rows=done.get(hour))]
    # What was put back meanwhile: whoever did found no roll-up to add it to.
    again = rollups.logged_between(due[0], due[-1] + HOUR)
    grown = [hour for hour in due if len(again.get(hour, ())) > len(logged.get(hour, ()))]
    return unreadable + [hour for hour in grown if not work.is_done(hour, again[hour], has_rows=done.get(hour))]


@dataclass(frozen=True)
class _Work:
    """What a run does about hours; `asked`: those that it has left to the state machine."""

    stores: Stores
    now: datetime
    large_hours: LargeHours | None
    asked: set[datetime] = field(default_factory=set)

    def is_done(self, hour: datetime, objects: Objects, *, has_rows: bool | None) -> bool:
        """Whether all that could be read of an hour is in its roll-up now; `has_rows` is False for a marker alone."""
        rollups = self.stores.rollups
        if self._leave(hour, objects, has_rows=has_rows):
            return False
        try:
            if has_rows:
                rollups.take_in(hour, objects)
            elif objects or has_rows is None:
                rollups.roll_up(hour, objects)
        except ValueError:
            return False
        return True

    def _leave(self, hour: datetime, objects: Objects, *, has_rows: bool | None) -> bool:
        """Leave an hour to the state machine where that much isn't rolled up; of many, some are left to later runs."""
        if self.large_hours is None or not is_large(objects):
            return False
        if has_rows:
            late = self.stores.rollups.late(hour, self.stores.rollups.read(hour), objects)
            if not is_large({key: objects[key] for key in late}):
                return False
        if len(self.asked | {hour}) <= LARGE_HOURS_A_RUN:
            self.asked.add(hour)
            self.large_hours.start(hour, self.now)
        return True
