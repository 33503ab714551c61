"""Put predictions that the store didn't take back where they belong, from the lines of the function's log; once."""

from collections.abc import Iterable
from contextlib import suppress

from selfheal.composition import Stores
from selfheal.errors import ObjectMissing
from selfheal.records.predictions import moment_of
from selfheal.records.replay import ReplayReport
from selfheal.replay import replayed
from selfheal.stores.prediction_log import log_key
from selfheal.stores.rollups import hour_of


def replay_log(stores: Stores, lines: Iterable[str]) -> ReplayReport:
    """Write every complete request of a log that isn't in the prediction log yet. Doing it again changes nothing.

    Raises:
        StoreUnavailable: what was put back so far stays; doing it again completes it.
    """
    found = replayed(lines)
    written = {
        request.request_id: _put_back(stores, request.request_id, request.body)
        for request in found
        if request.body is not None
    }
    return ReplayReport(
        put_back=tuple(request_id for request_id, is_new in written.items() if is_new),
        already_there=tuple(request_id for request_id, is_new in written.items() if not is_new),
        incomplete=tuple(request.request_id for request in found if request.body is None),
    )


def _put_back(stores: Stores, request_id: str, body: bytes) -> bool:
    is_new = stores.prediction_log.put_back(request_id, body)
    # Monitoring looks for late objects of the last days only, and small objects go after a month.
    with suppress(ObjectMissing):
        stores.rollups.add_late(hour_of(moment_of(request_id)), [log_key(request_id)])
    return is_new
