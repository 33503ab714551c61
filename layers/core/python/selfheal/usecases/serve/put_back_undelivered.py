"""Put predictions that a stream couldn't place back into the hours that they belong to; once."""

from datetime import datetime

from selfheal.records.replay import UndeliveredReport
from selfheal.stores.collection import Stores
from selfheal.usecases.serve.replay_log import complete_roll_up


def put_back_undelivered(stores: Stores, *, now: datetime) -> UndeliveredReport:
    """Write every prediction of the undelivered objects into the log of its hour. Doing it again changes nothing.

    The objects stay, so that whoever looks for the reason still finds them.

    Raises:
        StoreUnavailable: what was put back so far stays; doing it again completes it.
    """
    put_back = already_there = 0
    hours: set[datetime] = set()
    unreadable: list[str] = []
    for found in stores.undelivered.read():
        for hour, lines in found.lines.items():
            if stores.undelivered.put_back(hour, lines):
                put_back += len(lines)
            else:
                already_there += len(lines)
            hours.add(hour)
        if found.unreadable:
            unreadable.append(found.key)
    for hour in sorted(hours):
        complete_roll_up(stores, hour, now)
    return UndeliveredReport(put_back=put_back, already_there=already_there, unreadable=tuple(unreadable))
