"""Read what one monitoring run judges: production, the window, the labels, and the run before."""

from datetime import datetime, timedelta

from selfheal.drift.looks import level_of_one_look
from selfheal.monitoring.run import MonitoringRun
from selfheal.monitoring.traffic import overdue, silence_until
from selfheal.records.monitoring import DriftSummary
from selfheal.records.probation import Probation
from selfheal.stores.collection import Stores
from selfheal.usecases.monitor.hours import HourSummaries
from selfheal.usecases.monitor.inputs import judgeable_inputs, read_production
from selfheal.usecases.monitor.recent import read_traffic


def read_run(
    stores: Stores,
    now: datetime,
    schedule_minutes: int,
    probation: Probation | None,
    open_hours: tuple[datetime, ...],
    before: DriftSummary | None,
) -> MonitoringRun:
    """Read everything that a run needs. Raises NoProductionModel, ReferenceTampered, StoreUnavailable."""
    production = read_production(stores)
    policy = production.contract.policy.monitoring
    start = now - timedelta(hours=policy.lookback_hours)
    version, contract, reference = production.manifest.version, production.contract, production.reference
    summaries = HourSummaries.since(stores, version, contract, reference, start)
    traffic = read_traffic(stores, contract, summaries, start, now)
    silence = silence_until(now, traffic.window.newest.timestamps, now - start, traffic.waiting)
    missed = overdue(now, silence)
    return MonitoringRun(
        production=production,
        window=traffic.window,
        answers=traffic.answers,
        inputs=judgeable_inputs(stores, production, traffic.window, start, policy.minimum_predictions),
        recent=traffic.recent,
        before=before,
        now=now,
        probation=probation,
        open_hours=open_hours,
        waiting_hours=traffic.waiting,
        silence=silence,
        day_before=sum(map(len, stores.history.partitions(*missed, production.contract))) if missed else 0,
        level=level_of_one_look(policy.false_alarm_rate, 24 * 60 / schedule_minutes),
    )
