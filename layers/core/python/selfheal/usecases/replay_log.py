"""Put predictions that the store didn't take back where they belong, from the lines of the function's log; once."""

from collections.abc import Iterable

from selfheal.records.replay import ReplayReport
from selfheal.replay import replayed
from selfheal.stores.prediction_log import PredictionLog


def replay_log(log: PredictionLog, lines: Iterable[str]) -> ReplayReport:
    """Write every complete request of a log that isn't in the prediction log yet. Doing it again changes nothing.

    Raises:
        StoreUnavailable: what was put back so far stays; doing it again completes it.
    """
    found = replayed(lines)
    written = {
        request.request_id: log.put_back(request.request_id, request.body)
        for request in found
        if request.body is not None
    }
    return ReplayReport(
        put_back=tuple(request_id for request_id, is_new in written.items() if is_new),
        already_there=tuple(request_id for request_id, is_new in written.items() if not is_new),
        incomplete=tuple(request.request_id for request in found if request.body is None),
    )
