"""Large hours rolled up in this process, a step after the other, as the state machine would have it."""

from dataclasses import dataclass, field
from datetime import datetime

from selfheal.records.hours import HourRolledUp
from selfheal.stores.collection import Stores
from selfheal.usecases.roll_up.part import roll_up_part
from selfheal.usecases.roll_up.plan import plan_hour
from selfheal.usecases.roll_up.reduce import reduce_hour


def rolled_up_in_parts(stores: Stores, hour: datetime) -> HourRolledUp | None:
    """Plan, parts and reduce, until the hour is whole; None where nothing was left to do."""
    while (plan := plan_hour(stores, hour)).parts:
        for part in stores.hour_parts.planned(plan.manifest):
            roll_up_part(stores, plan, part)
        done = reduce_hour(stores, plan)
        if done.whole:
            return done
    return None


@dataclass
class StartedHours:
    """Notes which hours were asked for; `stores`: rolls them up at once."""

    stores: Stores | None = None
    started: list[tuple[datetime, datetime]] = field(default_factory=list)

    def start(self, hour: datetime, now: datetime) -> None:
        self.started.append((hour, now))
        if self.stores is not None:
            rolled_up_in_parts(self.stores, hour)
