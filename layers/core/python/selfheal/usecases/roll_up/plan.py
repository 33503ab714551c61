"""Divide what isn't rolled up of an hour into parts that one function can hold each."""

from datetime import datetime

from selfheal.hours.size import parts_of
from selfheal.records.hours import HourPlan
from selfheal.stores.collection import Stores
from selfheal.stores.rollups import HOUR


def plan_hour(stores: Stores, hour: datetime) -> HourPlan:
    """Write down the parts of a closed hour. Whoever plans it again finds the same plan until its parts count.

    Raises:
        NoProductionModel: there is nothing to summarise an hour beside.
        StoreUnavailable: nothing is known to be written.
    """
    version = stores.pointer.read().pointer.version
    known = stores.rollups.find(hour)
    rolled_up = len(known.parts) if known else 0
    manifest = stores.hour_parts.planned_at(hour, rolled_up)
    if manifest is None:
        logged = stores.rollups.logged_between(hour, hour + HOUR).get(hour, {})
        left = stores.rollups.late(hour, known, logged) if known else logged
        if not left:
            return HourPlan(hour=hour, version=version, manifest="", parts=0)
        objects = {key: size for key, size in logged.items() if key in left}
        manifest = stores.hour_parts.plan(hour, rolled_up, parts_of(objects))
    return HourPlan(hour=hour, version=version, manifest=manifest, parts=len(stores.hour_parts.planned(manifest)))
