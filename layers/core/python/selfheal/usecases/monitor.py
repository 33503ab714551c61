"""One monitoring run: read the last hours and what labels have come, judge, write it down, act on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.composition import Stores
from selfheal.contract import Contract
from selfheal.data.moments import as_datetime64
from selfheal.drift import judge
from selfheal.drift.impact import impacts
from selfheal.drift.looks import level_of_one_look
from selfheal.errors import HealingRefused
from selfheal.healing.sentences import sentence_of as decision_sentence
from selfheal.monitoring.diagnosis import ScoredRows, diagnose
from selfheal.monitoring.proxy_metrics import proxy_change, proxy_metrics_over_hours
from selfheal.monitoring.quality import faults, quality_findings
from selfheal.monitoring.response import (
    DECAYED,
    Judgement,
    fault_lingers,
    next_alarm,
    outages,
    sentence_of,
    state_of,
    trigger_of,
    verdict_of,
)
from selfheal.monitoring.timeline import extended
from selfheal.monitoring.traffic import open_hour_findings, overdue, silence_until, traffic_findings, usual_volume
from selfheal.performance.decay import judge_decay, onset_of_decay
from selfheal.performance.estimated import Answered, estimated_performance
from selfheal.performance.realised import brier_losses, realised_performance
from selfheal.performance.selection import selection_bias
from selfheal.records.drift import DriftVerdict
from selfheal.records.healing import Trigger, TriggerKind
from selfheal.records.ledger import LedgerEntry
from selfheal.records.monitoring import (
    AlarmState,
    Coverage,
    Decay,
    DriftSummary,
    Estimate,
    FaultPeriod,
    Finding,
    HealingState,
    MonitoringResult,
    Performance,
    TimelinePoint,
)
from selfheal.records.predictions import moments_of
from selfheal.records.probation import Probation
from selfheal.report import render_report
from selfheal.stores.executions import Executions
from selfheal.stores.history import PredictionWindow
from selfheal.stores.monitoring import run_prefix
from selfheal.stores.notifications import Notifications
from selfheal.stores.registry import REFERENCE
from selfheal.usecases.check_probation import check_probation
from selfheal.usecases.growth import growth
from selfheal.usecases.heal import next_start_allowed, start_healing, sweep
from selfheal.usecases.monitoring_inputs import Production, RecentPredictions, read_production, recent_predictions
from selfheal.usecases.roll_up import roll_up_closed_hours

SUMMARY, REPORT = "summary.json", "report.html"
# A rise of the Brier score that is worth acting on, relative: choosing a model by its tuning rows flatters it by less.
MINIMUM_DECAY = 0.05
# The newest rows are looked at alone as well: a pipe that has just broken is seen before it colours the whole window.
NEWEST_ROWS = 200
# More predictions than this, the newest, say nothing more about a metric.
ESTIMATED_ROWS = 50_000
UNKNOWN = Estimate(value=None, low=None, high=None)

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Run:
    """What one run holds in its hands while it judges."""

    production: Production
    window: PredictionWindow
    recent: RecentPredictions
    before: DriftSummary | None
    now: datetime
    open_hours: tuple[datetime, ...]
    silence: timedelta
    day_before: int
    level: float

    @property
    def contract(self) -> Contract:
        return self.production.contract

    @property
    def lookback(self) -> timedelta:
        return timedelta(hours=self.contract.policy.monitoring.lookback_hours)

    @property
    def alarm_before(self) -> AlarmState:
        """The alarm event so far; a new version starts with a clean slate, but rows of a broken pipe remain."""
        if self.before is None:
            return AlarmState()
        if self.before.production_version != self.production.manifest.version:
            return AlarmState(fault=self.before.alarm.fault)
        return self.before.alarm

    @property
    def usual(self) -> float:
        if self.before is None:
            return usual_volume(None, len(self.window), 0.0)
        hours = (self.now - self.before.timestamp) / timedelta(hours=1)
        return usual_volume(self.before.usual_predictions, len(self.window), hours)


def monitor(
    stores: Stores, executions: Executions, notifications: Notifications, *, now: datetime, schedule_minutes: int
) -> MonitoringResult:
    """Judge the last hours, keep summary and report, start a healing when one is due, tell people what changed.

    Doing it again for the same moment overwrites the same files and starts nothing twice.

    Raises:
        NoProductionModel: there is no model to watch.
        ReferenceTampered: the frozen reference isn't what was written.
        StoreUnavailable: a store or a service doesn't answer.
    """
    for lost in sweep(stores, executions, now):
        notifications.send("selfheal: a healing ended without a decision", decision_sentence(lost))
    before = _summary_before(stores, now)
    probation = check_probation(
        stores, notifications, now, before.probation if before else None, before.timestamp if before else None
    )
    open_hours = roll_up_closed_hours(stores, now)
    run = _read(stores, now, schedule_minutes, open_hours, before)
    judgement = _judge(run)
    alarm = next_alarm(run.alarm_before, judgement, now, run.lookback)
    healing = _heal(stores, executions, run, judgement, alarm)
    summary = _summary(run, judgement, alarm, healing, probation)
    if judgement.faults:
        kinds = tuple(f"{fault.kind} {fault.feature or ''}".strip() for fault in judgement.faults)
        stores.fault_periods.add(FaultPeriod(start=now - run.lookback, end=now, faults=kinds))
    key = stores.monitoring.write(now, SUMMARY, summary.to_json())
    report = stores.monitoring.write(now, REPORT, render_report(summary))
    _tell(notifications, run.before, summary, report)
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
        metrics=_metrics(summary),
    )


def _summary_before(stores: Stores, now: datetime) -> DriftSummary | None:
    written = stores.monitoring.latest(SUMMARY, now)
    return DriftSummary.model_validate_json(written) if written else None


def _read(
    stores: Stores,
    now: datetime,
    schedule_minutes: int,
    open_hours: tuple[datetime, ...],
    before: DriftSummary | None,
) -> _Run:
    production = read_production(stores)
    policy = production.contract.policy.monitoring
    start = now - timedelta(hours=policy.lookback_hours)
    window = stores.history.window(start, now, production.contract)
    silence = silence_until(now, window.timestamps, now - start)
    missed = overdue(now, silence)
    return _Run(
        production=production,
        window=window,
        recent=recent_predictions(stores, production.contract, window, start, now),
        before=before,
        now=now,
        open_hours=open_hours,
        silence=silence,
        day_before=len(stores.history.window(*missed, production.contract)) if missed else 0,
        level=level_of_one_look(policy.false_alarm_rate, 24 * 60 / schedule_minutes),
    )


def _judge(run: _Run) -> Judgement:
    findings, drift = _findings(run), _drift(run)
    of_version = run.recent.rows.model_versions == run.production.manifest.version
    labelled = run.recent.take(run.recent.is_labelled & of_version)
    newest = _newest(labelled, run)
    promised = run.production.tuning
    return Judgement(
        findings=findings,
        drift=drift,
        decay=_decay(run, labelled, newest),
        diagnosis=diagnose(
            faults(findings),
            drift,
            tuning=_scored(run, promised.rows.features, promised.rows.labels, promised.probabilities),
            recent=_scored(run, newest.rows.features, newest.labels, newest.rows.probabilities),
            minimum_labels=run.contract.policy.retraining.minimum_labels,
        ),
        performance=_performance(newest),
        estimated=_estimated(run),
        predictions=len(run.window),
    )


def _decay(run: _Run, labelled: RecentPredictions, newest: RecentPredictions) -> Decay:
    promised = brier_losses(run.production.tuning.probabilities, run.production.tuning.rows.labels)
    found = judge_decay(
        newest.rows.probabilities,
        newest.labels,
        promised,
        level=run.level,
        minimum_rows=run.contract.policy.retraining.minimum_labels,
        minimum_increase=MINIMUM_DECAY,
    )
    if not found.decayed:
        return found
    losses = brier_losses(labelled.rows.probabilities, labelled.labels)
    onset = onset_of_decay(losses, float(promised.mean()))
    return found.model_copy(update={"labelled_since": len(losses) - onset})


def _drift(run: _Run) -> DriftVerdict | None:
    policy = run.contract.policy.monitoring
    if len(run.window) < policy.minimum_predictions:
        return None
    verdict = judge(run.production.reference, run.window.features, policy, run.level)
    return _ranked(run, verdict) if verdict.detection.detected else verdict


def _ranked(run: _Run, verdict: DriftVerdict) -> DriftVerdict:
    """The features in order of how much they move the estimated Brier score."""
    production = run.production
    found = impacts(production.reference_rows.features, run.window.features, run.contract, production.expected_losses)
    features = [feature.model_copy(update={"impact": found[feature.feature]}) for feature in verdict.features]
    ranked = sorted(features, key=lambda feature: (not feature.drift_detected, -abs(feature.impact or 0.0)))
    return verdict.model_copy(update={"features": tuple(ranked)})


def _findings(run: _Run) -> tuple[Finding, ...]:
    features = run.window.features
    return (
        *traffic_findings(
            run.now,
            run.window.timestamps,
            moments_of(run.window.prediction_ids),
            run.before.usual_predictions if run.before else 0.0,
            run.silence,
            run.day_before,
        ),
        *open_hour_findings(run.open_hours),
        *quality_findings(run.production.reference, run.contract, [features, features.tail(NEWEST_ROWS)]),
    )


def _newest(labelled: RecentPredictions, run: _Run) -> RecentPredictions:
    """The labelled rows of the newest lookback that holds any, or as many as are needed to judge."""
    moments = labelled.rows.timestamps
    if not len(moments):
        return labelled
    least = run.contract.policy.retraining.minimum_labels
    inside = moments > moments.max() - np.timedelta64(run.lookback)
    return labelled.take(inside | (np.arange(len(moments)) >= len(moments) - least))


def _scored(run: _Run, features: pd.DataFrame, labels: NDArray[np.int8], probabilities: Floats) -> ScoredRows:
    return ScoredRows(probabilities, labels, run.production.reference.traits(features))


def _performance(newest: RecentPredictions) -> Performance | None:
    if not len(newest.labels):
        return None
    rows = newest.rows
    return realised_performance(rows.timestamps, rows.probabilities, rows.predictions, newest.labels)


def _estimated(run: _Run) -> Performance | None:
    """Of the version's own predictions in the window; None where there are none, or one class only to calibrate on."""
    own = np.flatnonzero(run.window.model_versions == run.production.manifest.version)[-ESTIMATED_ROWS:]
    chosen = np.zeros(len(run.window), dtype=bool)
    chosen[own] = True
    answered = run.window.take(chosen)
    tuning, reference = run.production.tuning, run.production.reference
    if not len(answered) or len(set(tuning.rows.labels.tolist())) == 1:
        return None
    return estimated_performance(
        Answered(
            answered.timestamps, answered.probabilities, answered.predictions, reference.traits(answered.features)
        ),
        tuning.probabilities,
        tuning.rows.labels,
        reference.traits(tuning.rows.features),
    )


def _heal(stores: Stores, executions: Executions, run: _Run, judgement: Judgement, alarm: AlarmState) -> HealingState:
    """Start a healing where one is due and allowed; otherwise the reason why not."""
    policy = run.contract.policy
    if judgement.faults or fault_lingers(alarm, run.now, run.lookback):
        return _not_started("the data pipeline has to be mended first")
    entries = list(stores.ledger.entries())
    kind, reason = _trigger(stores, run, judgement, alarm, entries)
    if kind is None:
        return _not_started(reason)
    allowed = next_start_allowed(entries, policy)
    if allowed is not None and run.now < allowed:
        return _not_started(f"{reason}; the next start is allowed at {allowed:%Y-%m-%d %H:%M} UTC")
    trigger = Trigger(kind=kind, reason=reason, run=run_prefix(run.now))
    try:
        healing = start_healing(stores, executions, trigger, run.now)
    except HealingRefused as refusal:
        return _not_started(str(refusal))
    return HealingState(started=True, execution=healing.execution, reason=reason)


def _trigger(
    stores: Stores, run: _Run, judgement: Judgement, alarm: AlarmState, entries: Sequence[LedgerEntry]
) -> tuple[TriggerKind | None, str]:
    policy = run.contract.policy
    waiting = "nothing to heal"
    if judgement.is_alarming:
        kind, waiting = trigger_of(judgement, _labelled_since(run, alarm), policy)
        if kind is not None or _labels_come_within_the_cooldown(run):
            return kind, waiting
    decisions = [entry.decision for entry in entries if entry.decision]
    reason = growth(stores, run.production.manifest, decisions, judgement.performance, run.now)
    if reason is None:
        return None, waiting
    # Fewer labels than a cure would like, but the newest of them know the change: a trial must learn from these.
    return ("decay", f"{DECAYED}; {reason}") if judgement.decay.decayed else ("growth", reason)


def _labels_come_within_the_cooldown(run: _Run) -> bool:
    """Whether labels of what happens now may come so soon that a promotion before would be in the way of theirs."""
    labelled = run.recent.rows.timestamps[run.recent.is_labelled]
    if not len(labelled):
        return False
    cooldown = timedelta(days=run.contract.policy.gates.cooldown_days)
    return bool(as_datetime64(run.now) - labelled.max() < np.timedelta64(cooldown))


def _not_started(reason: str) -> HealingState:
    return HealingState(started=False, execution=None, reason=reason)


def _labelled_since(run: _Run, alarm: AlarmState) -> int:
    if alarm.since is None:
        return 0
    since = as_datetime64(alarm.since)
    return int((run.recent.is_labelled & (run.recent.rows.timestamps >= since)).sum())


def _summary(
    run: _Run, judgement: Judgement, alarm: AlarmState, healing: HealingState, probation: Probation | None
) -> DriftSummary:
    drift, window, policy = judgement.drift, run.window, run.contract.policy
    excluded = drift.excluded if drift else {}
    features = drift.features if drift else ()
    verdict = verdict_of(judgement, lingering_fault=fault_lingers(alarm, run.now, run.lookback))
    return DriftSummary(
        timestamp=run.now,
        reference_metadata=_reference_metadata(run.production),
        dataset_drift_detected=drift.drift_detected if drift else None,
        drift_share=drift.drift_share if drift else None,
        num_drifted_features=len(drift.drifted) if drift else 0,
        num_features_total=len(run.contract.features),
        num_features_evaluated=len(features),
        num_features_excluded=len(excluded),
        excluded_features=tuple(excluded),
        features=features,
        verdict=verdict,
        sentence=sentence_of(verdict, judgement, policy),
        action=judgement.diagnosis.action,
        production_version=run.production.manifest.version,
        window_start=run.now - run.lookback,
        window_end=run.now,
        detection=drift.detection if drift else None,
        exclusion_reasons=excluded,
        findings=judgement.findings,
        proxy=proxy_metrics_over_hours(run.now, window.timestamps, window.probabilities, window.predictions),
        proxy_change=proxy_change(run.now, window.timestamps, window.probabilities, window.predictions),
        performance=judgement.performance,
        estimated_performance=judgement.estimated,
        coverage=_coverage(run),
        decay=judgement.decay,
        diagnosis=judgement.diagnosis,
        alarm=alarm,
        healing=healing,
        usual_predictions=run.usual,
        probation=probation,
        timeline=extended(run.before.timeline if run.before else (), _point(run, judgement)),
    )


def _point(run: _Run, judgement: Judgement) -> TimelinePoint:
    realised = judgement.performance.metrics if judgement.performance else {}
    estimated = judgement.estimated.metrics if judgement.estimated else {}
    brier = realised.get("brier", UNKNOWN)
    return TimelinePoint(
        timestamp=run.now,
        version=run.production.manifest.version,
        brier=brier.value,
        brier_low=brier.low,
        brier_high=brier.high,
        f1=realised.get("f1", UNKNOWN).value,
        estimated_f1=estimated.get("f1", UNKNOWN).value,
        drift_share=judgement.drift.drift_share if judgement.drift else None,
        coverage=float(run.recent.is_labelled.mean()) if len(run.recent.labels) else 0.0,
    )


def _metrics(summary: DriftSummary) -> dict[str, float]:
    """At most ten; what isn't known is left out."""
    realised = summary.performance.metrics if summary.performance else {}
    estimated = summary.estimated_performance.metrics if summary.estimated_performance else {}
    known = {
        "Predictions": float(summary.coverage.predictions),
        "DriftDetected": None if summary.dataset_drift_detected is None else float(summary.dataset_drift_detected),
        "DriftShare": summary.drift_share,
        "PipelineFaults": float(len(faults(summary.findings))),
        "Decayed": float(summary.decay.decayed),
        "LabelCoverage": summary.coverage.coverage,
        "RealisedF1": realised.get("f1", UNKNOWN).value,
        "RealisedBrier": realised.get("brier", UNKNOWN).value,
        "EstimatedF1": estimated.get("f1", UNKNOWN).value,
        "PositiveRate": summary.proxy[-1].positive_rate,
    }
    return {name: value for name, value in known.items() if value is not None}


def _reference_metadata(production: Production) -> dict[str, str | int]:
    window = production.manifest.data
    return {
        "version": production.manifest.version,
        "rows": len(production.reference_rows),
        "sha256": production.manifest.artefacts[REFERENCE].sha256,
        "training_oldest": window.oldest.isoformat(),
        "training_newest": window.newest.isoformat(),
    }


def _coverage(run: _Run) -> Coverage:
    recent = run.recent
    p_value, feature = selection_bias(
        recent.rows.timestamps, recent.rows.features, recent.is_labelled, run.contract, run.contract.policy.monitoring
    )
    labelled = int(recent.is_labelled.sum())
    return Coverage(
        predictions=len(recent.labels),
        labelled=labelled,
        coverage=labelled / max(len(recent.labels), 1),
        selection_p_value=p_value,
        selection_feature=feature,
    )


def _tell(notifications: Notifications, before: DriftSummary | None, summary: DriftSummary, report: str) -> None:
    """One message when something changed since the last run; a quiet first run says nothing."""
    out = [finding.message for finding in outages(summary)]
    calm = summary.alarm.since is None and summary.verdict != "pipeline_fault"
    is_known = state_of(summary) == state_of(before) if before else calm and not out
    if is_known and not summary.healing.started:
        return
    lines = (*out, summary.sentence, "", summary.diagnosis.reason, summary.action, "")
    lines += (f"Healing: {summary.healing.reason}", f"Report: {report}", "")
    notifications.send(out[0] if out and calm else summary.sentence, "\n".join(lines))
