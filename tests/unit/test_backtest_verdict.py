"""What a backtest says in words: what was reached, what couldn't be judged, what was waited for, and in which order."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from selfheal.records.drift import Detection
from selfheal.records.monitoring import Decay, DriftSummary, HealingState
from selfheal.tables.dataset import Dataset
from selfheal_tools.backtest.looks import looks_of
from selfheal_tools.backtest.order import hints_of
from selfheal_tools.backtest.records import Looks, PolicyResult
from selfheal_tools.backtest.verdict import verdict_of
from tests.unit.test_backtest_stream import rows, stream

LOOKS = Looks(
    runs=6,
    inputs_unjudged={"Not enough data: 12 predictions": 4},
    labels_unjudged=3,
    nothing_judged=2,
    started=0,
    waited={"waiting for labels: 0 of 1034": 6},
)


def result(brier: float, promotions: float, regained: float | None = None) -> PolicyResult:
    return PolicyResult(
        auc=0.8,
        f1=0.5,
        brier=brier,
        logloss=0.5,
        retrainings=promotions,
        promotions=promotions,
        rejections=0,
        rollbacks=0,
        harmful_promotions=1,
        regained=regained,
        training_seconds=1.0,
        per_period=(),
    )


def look(sentence: str, *, inputs: bool, labels: bool, started: bool = False, reason: str) -> DriftSummary:
    detection = Detection.model_construct() if inputs else None
    p_value = 0.5 if labels else None
    return DriftSummary.model_construct(
        sentence=sentence,
        detection=detection,
        decay=Decay(decayed=False, brier=0.1, promised_brier=0.1, p_value=p_value, level=0.05, n=9),
        healing=HealingState(started=started, execution=None, reason=reason),
    )


@pytest.mark.parametrize("oracle", [{}, {"oracle": result(0.1, 4, 1.0)}])
def test_what_retraining_blindly_reached_is_always_said(oracle: dict[str, PolicyResult]):
    """With a bound to measure by and without one, `always` stands beside healing with its score and its promotions."""
    share = 0.5 if oracle else None
    said = verdict_of({"healed": result(0.15, 3, share), "always": result(0.14, 19, share), **oracle})
    assert "retraining every period and promoting blindly" in said
    assert "0.1400 with 19 promotions (1 of them harmful)" in said


def test_looks_that_judged_nothing_and_healings_that_waited_are_said_with_their_reasons():
    """Of six looks four couldn't judge the inputs, two nothing; at all six a healing waited for labels."""
    said = verdict_of({"healed": result(0.15, 0), "frozen": result(0.2, 0)}, LOOKS)
    assert (
        "Of 6 looks 4 couldn't judge the inputs, 2 nothing at all: Not enough data: 12 predictions (4 times)." in said
    )
    assert "At 6 of 6 looks a healing was wanted and waited: waiting for labels: 0 of 1034 (6 times)." in said


def test_looks_are_counted_by_what_they_say_whatever_its_numbers():
    """Texts that differ in numbers alone are one; a run that wants no healing waits for nothing."""
    waiting = [f"waiting for labels: {number} of 500 since the change began" for number in (10, 20)]
    found = looks_of(
        [
            look("Not enough data: 7", inputs=False, labels=False, reason=waiting[0]),
            look("Not enough data: 9", inputs=False, labels=True, reason=waiting[1]),
            look("No drift", inputs=True, labels=True, reason="nothing to heal"),
            look("Drift", inputs=True, labels=True, started=True, reason="inputs have drifted"),
        ],
        stream(),
    )
    assert found == Looks(
        runs=4,
        inputs_unjudged={"Not enough data: 9": 2},
        labels_unjudged=1,
        nothing_judged=1,
        started=1,
        waited={waiting[1]: 2},
    )


def test_moments_that_are_made_up_are_not_told():
    """A file without times has periods and no dates, in texts neither."""
    told, made_up = stream(), replace(stream(), has_times=False)
    moment, text = datetime(2026, 1, 1, 12, 30, tzinfo=UTC), "allowed at 2026-01-01 12:30 UTC, not before"
    assert (told.told(moment), told.told_text(text)) == (moment, text)
    assert (made_up.told(moment), made_up.told_text(text)) == (None, "allowed at some day, not before")


def without_times(values: np.ndarray) -> Dataset:
    data = rows(len(values), np.timedelta64(1, "s"))
    labels = np.random.default_rng(1).integers(0, 2, len(values)).astype(np.int8)
    return replace(data, features=data.features.assign(x=values), labels=labels)


def test_rows_without_times_are_looked_at_for_their_order():
    """Shuffled rows and sorted ones are told apart from rows that drift; rows with times need no hint."""
    noise = np.random.default_rng(0).normal(size=2_000)
    (shuffled,) = hints_of(without_times(noise))
    (by_x,) = hints_of(without_times(np.sort(noise)))
    assert "look shuffled" in shuffled
    assert "sorted by x" in by_x
    assert hints_of(without_times(noise + np.linspace(0, 1, 2_000))) == ()
    assert hints_of(rows()) == ()
