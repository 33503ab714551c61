"""Put predictions that the store didn't take back where they belong, from the lines of the function's log; once."""

from collections.abc import Iterable
from datetime import datetime

from selfheal.records.predictions import moment_of
from selfheal.records.replay import ReplayReport
from selfheal.replay import replayed
from selfheal.stores.collection import Stores
from selfheal.stores.rollups import HOUR, hour_of
from selfheal.usecases.monitor.roll_up import will_roll_up


def replay_log(stores: Stores, lines: Iterable[str], *, now: datetime) -> ReplayReport:
    """Write every complete request of a log that isn't in the prediction log yet. Doing it again changes nothing.

    Raises:
        StoreUnavailable: what was put back so far stays; doing it again completes it.
    """
    found = replayed(lines)
    written = {
        request.request_id: stores.prediction_log.put_back(request.request_id, request.body)
        for request in found
        if request.body is not None
    }
    for hour in sorted({hour_of(moment_of(request_id)) for request_id in written}):
        complete_roll_up(stores, hour, now)
    return ReplayReport(
        put_back=tuple(request_id for request_id, is_new in written.items() if is_new),
        already_there=tuple(request_id for request_id, is_new in written.items() if not is_new),
        incomplete=tuple(request.request_id for request in found if request.body is None),
    )


def complete_roll_up(stores: Stores, hour: datetime, now: datetime) -> None:
    """Have an hour's roll-up hold all that is logged: monitoring looks at an hour again for some days only.

    An hour that isn't rolled up yet is left to monitoring, which then finds what was put back, unless it is too old.
    """
    has_rows = stores.rollups.hours_between(hour, hour + HOUR).get(hour)
    if has_rows is None and will_roll_up(hour, now):
        return
    logged = stores.rollups.logged_between(hour, hour + HOUR)[hour]
    if has_rows:
        stores.rollups.take_in(hour, logged)
    else:
        stores.rollups.roll_up(hour, logged)
