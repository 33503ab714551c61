"""Start a healing where what was judged, or enough new truth, makes one due."""

from selfheal.data.moments import as_datetime64
from selfheal.errors import HealingRefused
from selfheal.monitoring.response import DECAYED, Judgement, fault_lingers, trigger_of
from selfheal.monitoring.run import MonitoringRun
from selfheal.records.healing import Trigger, TriggerKind
from selfheal.records.monitoring import AlarmState, HealingState
from selfheal.records.story import Story
from selfheal.stores.collection import Stores
from selfheal.stores.executions import Executions
from selfheal.stores.monitoring import run_prefix
from selfheal.usecases.heal.lifecycle import start_healing
from selfheal.usecases.monitor.growth import growth


def start_due_healing(
    stores: Stores, executions: Executions, story: Story, run: MonitoringRun, judgement: Judgement, alarm: AlarmState
) -> HealingState:
    """Start a healing where one is due and allowed; otherwise the reason why not.

    Raises:
        StoreUnavailable: the registry or Step Functions doesn't answer.
    """
    policy = run.contract.policy
    if judgement.faults or fault_lingers(alarm, run.now, run.lookback):
        return _not_started("the data pipeline has to be mended first")
    kind, reason = _trigger(stores, story, run, judgement, alarm)
    if kind is None:
        return _not_started(reason)
    allowed = story.next_start_allowed(policy)
    if allowed is not None and run.now < allowed:
        return _not_started(f"{reason}; the next start is allowed at {allowed:%Y-%m-%d %H:%M} UTC")
    trigger = Trigger(kind=kind, reason=reason, run=run_prefix(run.now))
    try:
        healing = start_healing(stores, executions, story, trigger, run.now)
    except HealingRefused as refusal:
        return _not_started(str(refusal))
    return HealingState(started=True, execution=healing.execution, reason=reason)


def _trigger(
    stores: Stores, story: Story, run: MonitoringRun, judgement: Judgement, alarm: AlarmState
) -> tuple[TriggerKind | None, str]:
    policy = run.contract.policy
    waiting = "nothing to heal"
    if judgement.is_alarming:
        kind, waiting = trigger_of(judgement, _labelled_since(run, alarm), policy)
        if kind is not None:
            return kind, waiting
    reason = growth(stores, run.production.manifest, story, run.now)
    if reason is None:
        return None, waiting
    # Fewer labels than a cure would like, but the newest of them know the change: a trial must learn from these.
    return ("decay", f"{DECAYED}; {reason}") if judgement.decay.decayed else ("growth", reason)


def _not_started(reason: str) -> HealingState:
    return HealingState(started=False, execution=None, reason=reason)


def _labelled_since(run: MonitoringRun, alarm: AlarmState) -> int:
    if alarm.since is None:
        return 0
    since = as_datetime64(alarm.since)
    return int((run.recent.labelled.rows.timestamps >= since).sum())
