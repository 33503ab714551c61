"""Roll up one part of a large hour: its rows, its summary, and its share of the index of users' ids."""

from selfheal.errors import LogUnreadable
from selfheal.monitoring.packing import packed
from selfheal.records.hours import HourPlan, PartDone
from selfheal.stores.collection import Stores
from selfheal.stores.rollups import once_each, own_ids
from selfheal.stores.summaries import summary_key
from selfheal.usecases.roll_up.summarise import Summariser


def roll_up_part(stores: Stores, plan: HourPlan, part: str) -> PartDone:
    """Write what a part holds, its rows last: once they are there, it is done, and doing it again changes nothing.

    Raises:
        LogUnreadable: a log object doesn't hold JSON lines; the message names it.
        ReferenceTampered, VersionUnknown, StoreUnavailable: what it takes can't be read or written.
    """
    if (rows := stores.hour_parts.rows_in(plan.hour, part)) is not None:
        return PartDone(rows=rows)
    keys = stores.hour_parts.keys_of(plan.hour, part)
    try:
        found = once_each(stores.rollups.rows_of(keys))
    except ValueError as error:
        broken = next(iter(stores.rollups.unreadable(keys)), f"an object of part {part}")
        raise LogUnreadable(f"{broken} doesn't hold JSON lines: put it right, or take it away") from error
    stores.id_index.keep(plan.hour, part, own_ids(found))
    stores.summaries.write(summary_key(plan.version, plan.hour, part), packed(Summariser(stores, plan).of(found)))
    stores.hour_parts.write(plan.hour, part, found)
    return PartDone(rows=len(found))
