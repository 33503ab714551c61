"""What a monitoring run writes down: the summary, and the metrics that are counted from it."""

from collections.abc import Mapping

import numpy as np

from selfheal.monitoring.conclusions import conclusions
from selfheal.monitoring.headline import verdict_of
from selfheal.monitoring.production import Production
from selfheal.monitoring.quality import faults
from selfheal.monitoring.response import Judgement, fault_lingers
from selfheal.monitoring.run import MonitoringRun
from selfheal.monitoring.timeline import extended
from selfheal.performance.selection import selection_bias
from selfheal.records.artefacts import REFERENCE
from selfheal.records.monitoring import (
    AlarmState,
    Coverage,
    DriftSummary,
    Estimate,
    HealingState,
    RunRow,
    TimelinePoint,
)
from selfheal.tables.predictions import PredictionWindow

UNKNOWN = Estimate(value=None, low=None, high=None)


def summary_of(run: MonitoringRun, judgement: Judgement, alarm: AlarmState, healing: HealingState) -> DriftSummary:
    """Everything that a run found and did, as `summary.json` holds it."""
    verdict = verdict_of(judgement, lingering_fault=fault_lingers(alarm, run.now, run.lookback))
    return DriftSummary(
        **conclusions(judgement, run.contract, verdict),
        timestamp=run.now,
        reference_metadata=_reference_metadata(run.production),
        production_version=run.production.manifest.version,
        window_start=run.now - run.lookback,
        window_end=run.now,
        proxy=run.answers.proxies,
        proxy_change=run.answers.change,
        coverage=_coverage(run),
        alarm=alarm,
        healing=healing,
        usual_predictions=run.usual,
        probation=run.probation,
        unchanged=judgement.unchanged,
        waiting_hours=run.waiting_hours,
        timeline=extended(run.before.timeline if run.before else (), _point(run, judgement)),
    )


def row_of(summary: DriftSummary) -> RunRow:
    """The run as a row for queries."""
    return RunRow(
        timestamp=summary.timestamp,
        production_version=summary.production_version,
        verdict=summary.verdict,
        cause=summary.diagnosis.cause,
        predictions=summary.coverage.predictions,
        coverage=summary.coverage.coverage,
        dataset_drift_detected=summary.dataset_drift_detected,
        drift_share=summary.drift_share,
        num_drifted_features=summary.num_drifted_features,
        drifted_features=tuple(feature.feature for feature in summary.features if feature.drift_detected),
        p_value=summary.detection.p_value if summary.detection else None,
        faults=len(faults(summary.findings)),
        decayed=summary.decay.decayed,
        healing=summary.healing.execution if summary.healing.started else None,
        rolled_back=summary.probation is not None and summary.probation.rolled_back,
    )


def metrics_of(summary: DriftSummary) -> dict[str, float]:
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
        "RealisedAccuracy": realised.get("accuracy", UNKNOWN).value,
        "EstimatedAccuracy": estimated.get("accuracy", UNKNOWN).value,
        "RealisedMae": realised.get("mae", UNKNOWN).value,
        "EstimatedMae": estimated.get("mae", UNKNOWN).value,
        "IntervalCoverage": realised.get("interval_coverage", UNKNOWN).value,
    }
    return {name: value for name, value in known.items() if value is not None}


def _point(run: MonitoringRun, judgement: Judgement) -> TimelinePoint:
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
        coverage=run.recent.coverage,
        metrics={} if judgement.task.name == "binary" else _values(realised),
    )


def _values(realised: Mapping[str, Estimate]) -> dict[str, float]:
    return {name: estimate.value for name, estimate in realised.items() if estimate.value is not None}


def _reference_metadata(production: Production) -> dict[str, str | int]:
    window = production.manifest.data
    return {
        "version": production.manifest.version,
        "rows": len(production.reference_rows),
        "sha256": production.manifest.artefacts[REFERENCE].sha256,
        "training_oldest": window.oldest.isoformat(),
        "training_newest": window.newest.isoformat(),
    }


def _coverage(run: MonitoringRun) -> Coverage:
    recent = run.recent
    groups = [recent.unlabelled.rows, recent.labelled.rows]
    rows = PredictionWindow.concatenate(groups)
    is_labelled = np.repeat([False, True], [len(group) for group in groups])
    p_value, feature = selection_bias(
        rows.timestamps, rows.features, is_labelled, run.contract, run.contract.policy.monitoring
    )
    return Coverage(
        predictions=len(recent),
        labelled=len(recent.labelled),
        coverage=recent.coverage,
        selection_p_value=p_value,
        selection_feature=feature,
    )
