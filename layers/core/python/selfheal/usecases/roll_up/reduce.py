"""Let the parts of a large hour count: each prediction in one of them, and one summary of them all."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from selfheal.errors import ObjectChanged, ObjectExists, ObjectMissing
from selfheal.hours.repeats import Seen, repeated
from selfheal.hours.size import is_large
from selfheal.monitoring.hour import HourSummary
from selfheal.monitoring.packing import packed, unpacked
from selfheal.records.hours import HourPlan, HourRolledUp
from selfheal.stores.collection import Stores
from selfheal.stores.hour_parts import fingerprint_of
from selfheal.stores.log_columns import ID
from selfheal.stores.rollups import HOUR, HourOfLog
from selfheal.stores.summaries import summary_key
from selfheal.tables.sample import id_hashes
from selfheal.usecases.roll_up.summarise import Summariser


def reduce_hour(stores: Stores, plan: HourPlan) -> HourRolledUp:
    """Add the parts of a plan to their hour, in one write; where another writer was quicker, to what that one wrote.

    Doing it again changes nothing. What was logged since the plan was made is taken in, unless that is too large too.

    Raises:
        ObjectMissing: a part isn't written.
        ReferenceTampered, VersionUnknown, StoreUnavailable: what it takes can't be read or written.
    """
    parts = stores.hour_parts.planned(plan.manifest)
    while True:
        known = stores.rollups.find(plan.hour)
        new = [part for part in parts if known is None or part not in known.parts]
        if not new:
            return HourRolledUp(hour=plan.hour, whole=_is_whole(stores, plan.hour))
        with suppress(ObjectExists, ObjectChanged):
            _keep_once(stores, plan, known, new)
            stores.rollups.add_parts(plan.hour, new, known)


def _keep_once(stores: Stores, plan: HourPlan, known: HourOfLog | None, new: Sequence[str]) -> None:
    """Take out of the new parts what lies elsewhere in the hour, and keep a summary where they are all of it."""
    hashes = [id_hashes(ids) for ids in _ids(stores, plan.hour, new)]
    suspects = repeated([*map(id_hashes, _earlier(stores, plan.hour, known)), *hashes])
    seen = Seen(suspects)
    for ids in _earlier(stores, plan.hour, known) if len(suspects) else ():
        seen.are_new(ids)
    summariser, total = Summariser(stores, plan), None
    for part, of_part in zip(new, hashes, strict=True):
        is_suspect = bool(np.isin(of_part, suspects).any())
        summary = _settled(stores, plan, part, summariser, seen if is_suspect else None, len(of_part))
        total = summary if total is None else total + summary
    if known is None and total is not None:
        objects = sorted(stores.hour_parts.objects(plan.hour, new))
        stores.summaries.write(summary_key(plan.version, plan.hour, fingerprint_of(objects)), packed(total))


def _settled(
    stores: Stores, plan: HourPlan, part: str, summariser: Summariser, seen: Seen | None, rows: int
) -> HourSummary:
    """A part's summary, once it holds no prediction that was seen; `seen` is None where it can't hold any."""
    if seen is not None:
        whole, etag = stores.hour_parts.read(plan.hour, part)
        are_new = seen.are_new(whole[ID].to_numpy(dtype=object))
        if not are_new.all():
            stores.hour_parts.replace(plan.hour, part, whole[are_new], etag)
        rows = int(are_new.sum())
    known = _summary(stores, plan, part, summariser)
    # Whoever took rows out of the part may have ended before it was summarised anew.
    return known if known and len(known.window) == rows else summariser.of(stores.rollups.part(plan.hour, part))


def _summary(stores: Stores, plan: HourPlan, part: str, summariser: Summariser) -> HourSummary | None:
    try:
        return unpacked(stores.summaries.read(summary_key(plan.version, plan.hour, part)), summariser.contract)
    except ObjectMissing:
        return None


def _earlier(stores: Stores, hour: datetime, known: HourOfLog | None) -> Iterator[NDArray[np.object_]]:
    """The ids of what counts already."""
    if known is not None:
        yield known.rows[ID].to_numpy(dtype=object)
        yield from _ids(stores, hour, known.parts)


def _ids(stores: Stores, hour: datetime, parts: Iterable[str]) -> Iterator[NDArray[np.object_]]:
    return (stores.hour_parts.ids(hour, part) for part in parts)


def _is_whole(stores: Stores, hour: datetime) -> bool:
    """Whether nothing of the hour is left that has to be rolled up in parts again; what is little is taken in."""
    logged = stores.rollups.logged_between(hour, hour + HOUR).get(hour, {})
    late = stores.rollups.late(hour, stores.rollups.read(hour), logged)
    if is_large({key: logged[key] for key in late}):
        return False
    # What can't be read is left to a later look.
    with suppress(ValueError):
        stores.rollups.take_in(hour, late)
    return True
