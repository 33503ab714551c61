"""The days whose predictions have labels; anybody may label predictions that nobody made, and those cost little."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from selfheal.stores.collection import Stores

DAY = timedelta(days=1)


def labelled_days(
    stores: Stores, start: datetime, end: datetime, *, newest_first: bool = False
) -> Iterator[tuple[datetime, datetime]]:
    """Beginning and end of each day of [start, end) with a labelled prediction that was made, oldest first or not."""
    for day in sorted(stores.labels.days_between(start, end), reverse=newest_first):
        if stores.history.holds_any(stores.labels.labelled_on(day)):
            midnight = datetime.combine(day, time(), UTC)
            yield midnight, midnight + DAY
