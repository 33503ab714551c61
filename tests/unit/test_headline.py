"""The verdict of a run in a word and a sentence: the worst comes first."""

from datetime import UTC, datetime

import numpy as np
import pytest

from selfheal.contract.model import MonitoringPolicy
from selfheal.monitoring.diagnosis import diagnose
from selfheal.monitoring.headline import headline_of, verdict_of
from selfheal.monitoring.response import Judgement
from selfheal.records.drift import Detection, DriftVerdict
from selfheal.records.monitoring import Cause, Decay, Diagnosis, Finding
from selfheal.tasks import Scored

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POLICY = MonitoringPolicy()
DETECTION = Detection(
    detected=False, p_value=0.5, minimum_p_value=0.1, level=0.05, n=300, reference_rows=300, effective_size=300.0
)
CALM = DriftVerdict(
    drift_detected=False, widespread=False, drift_share=0.0, detection=DETECTION, features=(), excluded={}
)
MOVED = CALM.model_copy(update={"drift_detected": True})
HONEST = Decay(decayed=False, brier=None, promised_brier=None, p_value=None, level=0.01, n=0)
WORSE = Decay(decayed=True, brier=0.25, promised_brier=0.125, p_value=1e-9, level=0.01, n=240)
FAULT = Finding(
    kind="unit_change", severity="fault", feature="x", message="x is 12 times", value=12.0, expected=1.0, n=300
)


def judgement(
    drift: DriftVerdict | None = None,
    decay: Decay = HONEST,
    cause: Cause = "none",
    findings: tuple[Finding, ...] = (),
) -> Judgement:
    diagnosis = Diagnosis(cause=cause, reason="", action="")
    return Judgement(findings, drift, decay, diagnosis, None, None, predictions=50)


@pytest.mark.parametrize(
    ("found", "verdict", "start"),
    [
        (judgement(CALM), "no_drift", "No drift: inputs look"),
        (judgement(), "not_enough_data", "Not enough data: 50 predictions in the last 24 hours"),
        (judgement(MOVED), "drift", "Inputs have drifted: "),
        (judgement(CALM, WORSE), "decay", "The model has become worse: on 240 labelled rows the Brier score is 0.250"),
        (judgement(None, WORSE), "decay", "The model has become worse: "),
        (judgement(MOVED, WORSE, "concept_drift"), "decay", "The model has become worse: "),
        (judgement(CALM, HONEST, "concept_drift"), "concept_drift", "The same inputs now mean something else; inputs"),
        (judgement(None, HONEST, "concept_drift"), "concept_drift", "The same inputs now mean something else; only 50"),
        (judgement(CALM, HONEST, "prior_shift"), "prior_shift", "Positives have become more or less frequent; inputs"),
        (judgement(MOVED, WORSE, "pipeline_fault", (FAULT,)), "pipeline_fault", "The data pipeline looks broken: x is"),
    ],
)
def test_the_worst_comes_first(found: Judgement, verdict: str, start: str):
    """A broken pipe, a worse model, drift, another meaning; calm or too few rows only where there is no more."""
    named = verdict_of(found, lingering_fault=False)
    assert named == verdict
    sentence = headline_of(named, found, POLICY)
    assert sentence.startswith(start)
    assert ("No drift" in sentence, "Not enough" in sentence) == (verdict == "no_drift", verdict == "not_enough_data")


def test_what_else_there_is_follows():
    """Of a worse model on inputs that moved and mean something else, all three are said in that order."""
    sentence = headline_of("decay", judgement(MOVED, WORSE, "concept_drift"), POLICY)
    places = [sentence.index(said) for said in ("0.125 was promised", "mean something else", "inputs have drifted")]
    assert places == sorted(places)


def test_files_hold_rows_and_no_hours():
    """Where two files were compared, the sentence speaks of no predictions and offers no lookback."""
    assert headline_of("not_enough_data", judgement(), POLICY, files=True) == (
        "Not enough data: 50 rows, 200 are needed to judge the inputs."
    )


def test_a_worse_model_is_never_told_to_do_nothing():
    """Where labels are too few to say why, the diagnosis doesn't say that all is well."""
    none = Scored(np.zeros(0), np.zeros(0, dtype=np.int8), np.zeros((0, 1)))
    calm, worse = (diagnose((), CALM, none, none, 200, decayed=decayed) for decayed in (False, True))
    assert (calm.cause, calm.action) == ("none", "Nothing to do.")
    assert worse.cause == "cannot_tell"
    assert worse.action.startswith("Retrain")


def test_inputs_that_were_not_judged_are_not_said_to_hold_still():
    """With too few predictions the diagnosis says so."""
    none = Scored(np.zeros(0), np.zeros(0, dtype=np.int8), np.zeros((0, 1)))
    assert "hold still" not in diagnose((), None, none, none, 200).reason
