"""What a monitoring run makes of the last hours: findings, drift, decay, diagnosis, performance."""

import numpy as np
import pandas as pd

from selfheal.drift import judge_drift
from selfheal.drift.impact import impacts
from selfheal.healing.probation import probation_findings
from selfheal.monitoring.diagnosis import diagnose
from selfheal.monitoring.quality import faults, quality_findings
from selfheal.monitoring.response import Judgement
from selfheal.monitoring.traffic import open_hour_findings, traffic_findings
from selfheal.performance.decay import judge_decay, onset_of_decay
from selfheal.performance.estimated import Answered, estimated_performance
from selfheal.performance.realised import realised_performance
from selfheal.records.drift import DriftVerdict
from selfheal.records.monitoring import Decay, Finding, Performance
from selfheal.tables.predictions import RecentPredictions
from selfheal.tasks import Scored, Task
from selfheal.tasks.port import Floats, Labels, support_of
from selfheal.usecases.monitor.run import MonitoringRun

# A rise of the mean loss that is worth acting on, relative: choosing a model by its tuning rows flatters it by less.
MINIMUM_DECAY = 0.05
# The newest rows are looked at alone as well: a pipe that has just broken is seen before it colours the whole window.
NEWEST_ROWS = 200
# More predictions than this, the newest, say nothing more about a metric.
ESTIMATED_ROWS = 50_000


def judged(run: MonitoringRun) -> Judgement:
    """The judgement of one run; the same reading gives the same one."""
    findings, drift = _findings(run), _drift(run)
    of_version = run.recent.rows.model_versions == run.production.manifest.version
    labelled = run.recent.take(run.recent.is_labelled & of_version)
    newest = _newest(labelled, run)
    promised, decay = run.production.tuning, _decay(run, labelled, newest)
    return Judgement(
        findings=findings,
        drift=drift,
        decay=decay,
        diagnosis=diagnose(
            faults(findings),
            drift,
            tuning=_scored(run, promised.rows.features, promised.rows.labels, promised.probabilities),
            recent=_scored(run, newest.rows.features, newest.labels, newest.rows.probabilities),
            minimum_labels=run.contract.policy.retraining.minimum_labels,
            decayed=decay.decayed,
            task=run.production.task,
        ),
        performance=_performance(newest, run.production.task),
        estimated=_estimated(run),
        predictions=len(run.inputs),
    )


def _decay(run: MonitoringRun, labelled: RecentPredictions, newest: RecentPredictions) -> Decay:
    task, tuning = run.production.task, run.production.tuning
    promised = task.losses(tuning.probabilities, tuning.rows.labels)
    found = judge_decay(
        newest.rows.probabilities,
        newest.labels,
        promised,
        level=run.level,
        minimum_rows=run.contract.policy.retraining.minimum_labels,
        minimum_increase=MINIMUM_DECAY,
        task=task,
    )
    if not found.decayed:
        return found
    losses = task.losses(labelled.rows.probabilities, labelled.labels)
    onset = onset_of_decay(losses, float(promised.mean()))
    return found.model_copy(update={"labelled_since": len(losses) - onset})


def _drift(run: MonitoringRun) -> DriftVerdict | None:
    policy = run.contract.policy.monitoring
    if len(run.inputs) < policy.minimum_predictions:
        return None
    verdict = judge_drift(run.production.reference, run.inputs.features, policy, run.level)
    return _ranked(run, verdict) if verdict.detection.detected else verdict


def _ranked(run: MonitoringRun, verdict: DriftVerdict) -> DriftVerdict:
    """The features in order of how much they move the estimated loss."""
    production = run.production
    found = impacts(production.reference_rows.features, run.inputs.features, run.contract, production.expected_losses)
    features = [feature.model_copy(update={"impact": found[feature.feature]}) for feature in verdict.features]
    ranked = sorted(features, key=lambda feature: (not feature.drift_detected, -abs(feature.impact or 0.0)))
    return verdict.model_copy(update={"features": tuple(ranked)})


def _findings(run: MonitoringRun) -> tuple[Finding, ...]:
    features = run.window.features
    return (
        *traffic_findings(
            len(run.window),
            run.before.usual_predictions if run.before else 0.0,
            run.silence,
            run.day_before,
        ),
        *open_hour_findings(run.open_hours),
        *probation_findings(run.probation),
        *quality_findings(run.production.reference, run.contract, [features, features.tail(NEWEST_ROWS)]),
    )


def _newest(labelled: RecentPredictions, run: MonitoringRun) -> RecentPredictions:
    """The labelled rows of the newest lookback that holds any, or as many as are needed to judge."""
    moments = labelled.rows.timestamps
    if not len(moments):
        return labelled
    least = run.contract.policy.retraining.minimum_labels
    inside = moments > moments.max() - np.timedelta64(run.lookback)
    return labelled.take(inside | (np.arange(len(moments)) >= len(moments) - least))


def _scored(run: MonitoringRun, features: pd.DataFrame, labels: Labels, probabilities: Floats) -> Scored:
    return Scored(probabilities, labels, run.production.reference.traits(features))


def _performance(newest: RecentPredictions, task: Task) -> Performance | None:
    if not len(newest.labels):
        return None
    rows = newest.rows
    return realised_performance(rows.timestamps, rows.probabilities, rows.predictions, newest.labels, task)


def _estimated(run: MonitoringRun) -> Performance | None:
    """Of the version's own predictions in the window; None where there are none, or one class only to calibrate on."""
    own = np.flatnonzero(run.window.model_versions == run.production.manifest.version)[-ESTIMATED_ROWS:]
    chosen = np.zeros(len(run.window), dtype=bool)
    chosen[own] = True
    answered = run.window.take(chosen)
    tuning, reference = run.production.tuning, run.production.reference
    if not len(answered) or not support_of(run.production.task, tuning.rows.labels):
        return None
    return estimated_performance(
        Answered(
            answered.timestamps, answered.probabilities, answered.predictions, reference.traits(answered.features)
        ),
        tuning.probabilities,
        tuning.rows.labels,
        reference.traits(tuning.rows.features),
        run.production.task,
    )
