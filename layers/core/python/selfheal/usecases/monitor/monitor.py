"""One monitoring run: read the last hours and what labels have come, judge, write it down, act on it."""

from datetime import datetime

from pydantic import ValidationError

from selfheal.errors import NoProductionModel, RecordIncompatible
from selfheal.monitoring.judgement import judged
from selfheal.monitoring.response import next_alarm, outages, state_of
from selfheal.monitoring.summary import metrics_of, row_of, summary_of
from selfheal.records.monitoring import DriftSummary, FaultPeriod, MonitoringResult
from selfheal.report import render_report
from selfheal.stores.collection import Stores
from selfheal.stores.executions import Executions
from selfheal.stores.large_hours import LargeHours
from selfheal.stores.monitoring import REPORT, SUMMARY
from selfheal.stores.notifications import Notifications
from selfheal.usecases.heal.lifecycle import settle, tell_of_failed
from selfheal.usecases.labels.match import match_labels
from selfheal.usecases.monitor.check_probation import check_probation
from selfheal.usecases.monitor.due_healing import start_due_healing
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from selfheal.usecases.monitor.run import read_run

NOT_BEGUN = "There is nothing to watch yet: run `selfheal bootstrap` first."


def has_begun(stores: Stores) -> bool:
    """Whether there has ever been a model to watch. Where only its pointer is gone, a run has to fail.

    Raises:
        LedgerBroken, StoreUnavailable: the registry can't be read.
    """
    try:
        stores.pointer.read()
    except NoProductionModel:
        return bool(stores.ledger.decisions())
    return True


def monitor(
    stores: Stores,
    executions: Executions,
    notifications: Notifications,
    *,
    now: datetime,
    schedule_minutes: int,
    large_hours: LargeHours | None = None,
) -> MonitoringResult:
    """Judge the last hours, keep summary and report, start a healing when one is due, tell people what changed.

    Doing it again for the same moment overwrites the same files and starts nothing twice. A probation that can't be
    judged, since the version before is damaged, is a finding and holds nothing up. `large_hours` rolls up what is too
    large for this run; hours that aren't there yet are named, and left out. A message that can't be sent fails
    the run and is sent by the next one: people may get it twice, but don't miss it.

    Raises:
        NoProductionModel: there is no model to watch.
        ReferenceTampered: the frozen reference isn't what was written.
        StoreUnavailable: a store or a service doesn't answer.
    """
    before = _summary_before(stores, now)
    # Listed before the ledger is read: a healing writes its decision before it ends.
    executed = executions.recent()
    story = stores.ledger.story()
    told = tell_of_failed(story, executed, notifications, now, before.told_healings if before else ())
    story = settle(stores, story, executed, now, notifications)
    probation = check_probation(
        stores, story, notifications, now, before.probation if before else None, before.timestamp if before else None
    )
    if probation is not None and probation.rolled_back:
        story = stores.ledger.story()
    open_hours = roll_up_closed_hours(stores, now, large_hours)
    by_id = match_labels(stores, now)
    run = read_run(stores, now, schedule_minutes, probation, open_hours, before)
    judgement = judged(run)
    alarm = next_alarm(run.alarm_before, judgement, now, run.lookback)
    healing = start_due_healing(stores, executions, story, run, judgement, alarm)
    summary = summary_of(run, judgement, alarm, healing).model_copy(update={"told_healings": told})
    is_due = _is_due(before, summary)
    if judgement.faults:
        kinds = tuple(f"{fault.kind} {fault.feature or ''}".strip() for fault in judgement.faults)
        stores.fault_periods.add(FaultPeriod(start=now - run.lookback, end=now, faults=kinds))
    key = stores.monitoring.write(now, SUMMARY, summary.model_copy(update={"is_told": not is_due}).to_json())
    report = stores.monitoring.write(now, REPORT, render_report(summary))
    stores.monitoring.write_row(row_of(summary))
    if is_due:
        _tell(notifications, summary, report)
        stores.monitoring.write(now, SUMMARY, summary.to_json())
    return MonitoringResult(
        verdict=summary.verdict,
        sentence=summary.sentence,
        summary=key,
        report=report,
        num_predictions=len(run.window),
        p_value=summary.detection.p_value if summary.detection else None,
        drift_share=summary.drift_share,
        healing=healing.execution if healing.started else None,
        rolled_back=probation is not None and probation.rolled_back,
        labels_by_id=by_id,
        metrics=metrics_of(summary),
    )


def _summary_before(stores: Stores, now: datetime) -> DriftSummary | None:
    """What the run before wrote. One that can't be read counts as none: people may be told again, and runs go on."""
    written = stores.monitoring.latest(SUMMARY, now)
    try:
        return DriftSummary.model_validate_json(written) if written else None
    except (ValidationError, RecordIncompatible):
        return None


def _is_due(before: DriftSummary | None, summary: DriftSummary) -> bool:
    """Whether something changed since people were last told; a quiet first run says nothing."""
    if summary.healing.started:
        return True
    if before is None:
        return not _is_calm(summary) or bool(outages(summary))
    return not before.is_told or state_of(summary) != state_of(before)


def _tell(notifications: Notifications, summary: DriftSummary, report: str) -> None:
    out = [finding.message for finding in outages(summary)]
    left_out = [summary.left_out] if summary.left_out else []
    lines = (*out, summary.sentence, *left_out, "", summary.diagnosis.reason, summary.action, "")
    lines += (f"Healing: {summary.healing.reason}", f"Report: {report}", "")
    notifications.send(out[0] if out and _is_calm(summary) else summary.sentence, "\n".join(lines))


def _is_calm(summary: DriftSummary) -> bool:
    return summary.alarm.since is None and summary.verdict != "pipeline_fault"
