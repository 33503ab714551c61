"""A run's verdict in a word and in a sentence: what is worst comes first, then what else there is."""

from collections.abc import Iterator

from selfheal.contract.model import MonitoringPolicy
from selfheal.monitoring.response import Judgement
from selfheal.records.drift import DriftVerdict
from selfheal.records.monitoring import Decay, MonitoringVerdict


def verdict_of(judgement: Judgement, *, lingering_fault: bool) -> MonitoringVerdict:
    """The run's verdict in a word: the worst of what it found."""
    if judgement.faults or lingering_fault:
        return "pipeline_fault"
    if judgement.decay.decayed:
        return "decay"
    if judgement.drift is not None and judgement.drift.drift_detected:
        return "widespread_drift" if judgement.drift.widespread else "drift"
    # What labels say of these inputs, though the inputs themselves hold still or are too few to tell.
    if judgement.diagnosis.cause in {"concept_drift", "prior_shift"}:
        return judgement.diagnosis.cause
    return "not_enough_data" if judgement.drift is None else "no_drift"


def headline_of(
    verdict: MonitoringVerdict, judgement: Judgement, policy: MonitoringPolicy, *, files: bool = False
) -> str:
    """The verdict in one sentence: what is worst, then what else was found.

    files: two files were compared, so that the rows are no predictions of some hours.
    """
    if verdict == "pipeline_fault":
        parts = [_about_fault(judgement), *_about_decay(judgement.decay)]
    else:
        found = [*_about_decay(judgement.decay), *_about_meaning(judgement)]
        parts = [*found, _about_inputs(verdict, judgement, policy, files=files)]
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def _about_fault(judgement: Judgement) -> str:
    if not judgement.faults:
        return "the data pipeline was broken within the window; its rows are still in it"
    more = f" (and {len(judgement.faults) - 1} more)" if len(judgement.faults) > 1 else ""
    return f"the data pipeline looks broken: {judgement.faults[0].message.rstrip('?')}{more}"


def _about_decay(decay: Decay) -> Iterator[str]:
    if not decay.decayed or decay.brier is None or decay.promised_brier is None:
        return
    promised = f"the {decay.score} is {decay.brier:.3f}, {decay.promised_brier:.3f} was promised"
    yield f"the model has become worse: on {decay.n} labelled rows {promised}"


def _about_meaning(judgement: Judgement) -> Iterator[str]:
    if judgement.diagnosis.cause == "concept_drift":
        yield "the same inputs now mean something else"
    if judgement.diagnosis.cause == "prior_shift":
        yield judgement.task.shifted


def _about_inputs(verdict: MonitoringVerdict, judgement: Judgement, policy: MonitoringPolicy, *, files: bool) -> str:
    if judgement.drift is not None:
        no_drift = "no drift: " if verdict == "no_drift" else ""
        return _about_drift(judgement.drift) or f"{no_drift}inputs look as they did in training"
    few, needed = judgement.predictions, f"{policy.minimum_predictions} are needed to judge the inputs"
    start = "not enough data: " if verdict == "not_enough_data" else "only "
    if files:
        return f"{start}{few} rows, {needed}"
    lengthen = "lengthen policy.monitoring.lookback_hours where so few are usual"
    return f"{start}{few} predictions in the last {policy.lookback_hours} hours, {needed} ({lengthen})"


def _about_drift(drift: DriftVerdict) -> str | None:
    if drift.drift_detected:
        names = ", ".join(feature.feature for feature in drift.drifted[:3])
        extent = "inputs have drifted widely" if drift.widespread else "inputs have drifted"
        return f"{extent}: {len(drift.drifted)} of {len(drift.features)} features, most of all {names}"
    if drift.detection.detected:
        return "inputs changed, but by too little to matter"
    return None
