"""What a monitoring run makes of the last hours: findings, drift, decay, diagnosis, performance."""

from collections.abc import Sequence

import numpy as np

from selfheal.data.moments import as_utc
from selfheal.drift import judge_drift
from selfheal.drift.impact import impacts, ranked
from selfheal.healing.probation import probation_findings
from selfheal.monitoring.diagnosis import diagnose
from selfheal.monitoring.quality import Inputs, faults, quality_findings
from selfheal.monitoring.response import Judgement
from selfheal.monitoring.run import MonitoringRun
from selfheal.monitoring.traffic import open_hour_findings, traffic_findings
from selfheal.monitoring.unchanged import unchanged_features
from selfheal.performance.decay import judge_decay, onset_of_decay
from selfheal.performance.estimated import Answered, estimated_performance
from selfheal.performance.realised import realised_performance
from selfheal.records.drift import DriftVerdict
from selfheal.records.monitoring import Decay, Finding, Performance, Unchanged
from selfheal.tables.predictions import LabelledPredictions, PredictionWindow
from selfheal.tasks import Scored, Task
from selfheal.tasks.port import support_of

# A rise of the mean loss that is worth acting on, relative: choosing a model by its tuning rows flatters it by less.
MINIMUM_DECAY = 0.05


def judged(run: MonitoringRun) -> Judgement:
    """The judgement of one run; the same reading gives the same one."""
    unchanged = _unchanged(run)
    findings, drift = _findings(run, unchanged), _drift(run)
    labelled = run.recent.labelled
    labelled = labelled.take(labelled.rows.model_versions == run.production.manifest.version)
    newest = _newest(labelled, run)
    decay, traits = _decay(run, labelled, newest), run.production.reference.traits(newest.rows.features)
    return Judgement(
        findings=findings,
        drift=drift,
        decay=decay,
        diagnosis=diagnose(
            faults(findings),
            drift,
            tuning=run.production.promised,
            recent=Scored(newest.rows.probabilities, newest.labels, traits),
            minimum_labels=run.contract.policy.retraining.minimum_labels,
            decayed=decay.decayed,
            task=run.production.task,
        ),
        performance=_performance(newest, run.production.task),
        estimated=_estimated(run),
        predictions=len(run.inputs),
        task=run.production.task,
        unchanged=unchanged,
    )


def _decay(run: MonitoringRun, labelled: LabelledPredictions, newest: LabelledPredictions) -> Decay:
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
    verdict = judge_drift(run.production.reference, run.inputs.inputs, policy, run.level)
    return _ranked(run, verdict) if verdict.detection.detected else verdict


def _ranked(run: MonitoringRun, verdict: DriftVerdict) -> DriftVerdict:
    """The features in order of what they do to the model: by the loss that they move, which the estimate says.

    Before any label of this version has come nothing bears the estimate out: then by how much the model uses them.
    """
    production = run.production
    before, after = production.reference_rows.features, run.inputs.sample.features
    found = impacts(before, after, run.contract, production.expected_losses)
    features = [feature.model_copy(update={"impact": found[feature.feature]}) for feature in verdict.features]
    is_labelled = (run.recent.labelled.rows.model_versions == production.manifest.version).any()
    uses = {} if is_labelled else production.manifest.importance
    return verdict.model_copy(update={"features": ranked(features, uses)})


def _findings(run: MonitoringRun, unchanged: Sequence[Unchanged]) -> tuple[Finding, ...]:
    whole, newest = run.window.sample, run.window.newest
    held = {one.feature: np.timedelta64(run.now - one.since) for one in unchanged}
    windows = [
        Inputs(run.window.inputs, whole.features, _lasts(whole), held),
        Inputs(run.production.reference.summary_of(newest.features), newest.features, _lasts(newest)),
    ]
    return (
        *traffic_findings(
            len(run.window),
            run.before.usual_predictions if run.before else 0.0,
            run.silence,
            run.day_before,
        ),
        *open_hour_findings(run.open_hours),
        *probation_findings(run.probation),
        *quality_findings(run.production.reference, windows),
    )


def _unchanged(run: MonitoringRun) -> tuple[Unchanged, ...]:
    sample, before = run.window.sample, run.before
    if not len(sample):
        return ()
    touches = before is not None and before.window_end >= run.now - run.lookback
    known = before.unchanged if before is not None and touches else ()
    start = as_utc(sample.timestamps[0])
    return tuple(unchanged_features(run.production.reference, run.window.inputs, sample.features, start, known))


def _lasts(rows: PredictionWindow) -> np.timedelta64 | None:
    return rows.timestamps[-1] - rows.timestamps[0] if len(rows) else None


def _newest(labelled: LabelledPredictions, run: MonitoringRun) -> LabelledPredictions:
    """The labelled rows of the newest lookback that holds any, or as many as are needed to judge."""
    moments = labelled.rows.timestamps
    if not len(moments):
        return labelled
    least = run.contract.policy.retraining.minimum_labels
    inside = moments > moments.max() - np.timedelta64(run.lookback)
    return labelled.take(inside | (np.arange(len(moments)) >= len(moments) - least))


def _performance(newest: LabelledPredictions, task: Task) -> Performance | None:
    if not len(newest.labels):
        return None
    rows = newest.rows
    return realised_performance(rows.timestamps, rows.probabilities, rows.predictions, newest.labels, task)


def _estimated(run: MonitoringRun) -> Performance | None:
    """Of a sample of the version's own predictions in the window.

    None where there are none, or one class only to calibrate on.
    """
    own, promised, reference = run.own, run.production.promised, run.production.reference
    if own is None or not support_of(run.production.task, promised.labels):
        return None
    return estimated_performance(
        Answered(own.timestamps, own.probabilities, own.predictions, reference.traits(own.features)),
        promised.answers,
        promised.labels,
        promised.traits,
        run.production.task,
    )
