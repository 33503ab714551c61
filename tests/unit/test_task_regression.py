"""Numbers: losses, metrics, estimates, intervals and tests against known answers and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.linear_model import Ridge

from selfheal.tasks import Regression, Scored, Unlabelled
from selfheal.tasks.regression.answers import spread_of
from selfheal.tasks.regression.conformal import half_width_of

TASK = Regression(spread=10.0, half_width=1.7)


def drawn(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers, labels whose noise grows with the second trait, and traits."""
    rng = np.random.default_rng(seed)
    traits = rng.uniform(-0.5, 0.5, size=(rows, 2))
    answers = 20 + 6 * traits[:, 0]
    return answers, answers + rng.normal(size=rows) * (1 + traits[:, 1]), traits


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_losses_lie_between_none_and_all(answer: float, label: float):
    """Whatever the numbers are, so that bets and sign flips hold."""
    loss = TASK.losses(np.array([answer]), np.array([label]))[0]
    assert 0 <= loss <= 1
    assert (loss == 0) == (abs(answer - label) < 1e-160) or loss < 1e-300


def test_a_loss_worked_by_hand():
    """An error of 2 on a spread of 10 is 0.04, one of 30 is capped."""
    assert TASK.losses(np.array([3.0, 0.0]), np.array([5.0, 30.0])) == pytest.approx([0.04, 1.0])
    assert spread_of(np.r_[np.zeros(5000), np.ones(5000), 1e6]) == 1.0


def test_metrics_equal_those_of_scikit_learn():
    """MAE, RMSE and R² in the target's unit; the interval's coverage by count."""
    answers, labels, _ = drawn(500)
    found = TASK.realised(answers, answers, labels).metrics
    assert found["mae"].value == pytest.approx(metrics.mean_absolute_error(labels, answers))
    assert found["rmse"].value == pytest.approx(metrics.root_mean_squared_error(labels, answers))
    assert found["r2"].value == pytest.approx(metrics.r2_score(labels, answers))
    assert found["interval_coverage"].value == (np.abs(answers - labels) <= 1.7).mean()
    tuning = TASK.tuning_metrics(answers, labels, np.nan)
    assert tuning == pytest.approx({name: found[name].value for name in tuning})
    for estimate in found.values():
        assert estimate.low <= estimate.value <= estimate.high


def test_one_wild_label_hides_no_gain_in_squared_errors():
    """Every error is halved but that to a label out of this world, which counts as the spread of 10 for both."""
    labels = np.r_[np.zeros(99), 1e6]
    before, after = (np.r_[np.full(99, error), 0.0] for error in (2.0, 1.0))
    metric = TASK.gate_metrics["mse"]
    assert metric.value(before, before, labels) == pytest.approx(4.96)
    sums = [metric.sums(said, said, labels, np.ones(100), np.zeros(100, np.intp)) for said in (before, after)]
    assert metric.gain(*sums) == pytest.approx([1 - 1.99 / 4.96])


@pytest.mark.parametrize("rows", [50, 200, 1000])
def test_conformal_intervals_cover_nine_labels_in_ten(rows: int):
    """On exchangeable rows, within two points, whatever the number of rows that they rest on."""
    covered = []
    for seed in range(300):
        answers, labels, _ = drawn(rows + 100, seed)
        width = half_width_of(answers[:rows], labels[:rows])
        covered.append((np.abs(answers[rows:] - labels[rows:]) <= width).mean())
    assert np.mean(covered) == pytest.approx(0.9, abs=0.02)


def test_errors_are_estimated_from_traits():
    """Where noisy rows become frequent the estimate rises with the truth, before any label has come."""
    answers, labels, traits = drawn(8000)
    tuning = Scored(answers[:3000], labels[:3000], traits[:3000])
    noisy = 3000 + np.flatnonzero(traits[3000:, 1] > 0.2)
    rows = Unlabelled(answers[noisy], answers[noisy], traits[noisy])
    estimated = TASK.estimated(rows, tuning).metrics
    realised = TASK.realised(answers[noisy], answers[noisy], labels[noisy]).metrics
    usual = TASK.realised(answers[:3000], answers[:3000], labels[:3000]).metrics
    for name in ("mae", "rmse"):
        assert estimated[name].value > usual[name].value * 1.2
        assert estimated[name].value == pytest.approx(realised[name].value, rel=0.1)


def test_the_estimate_is_a_ridge_on_squares_of_traits_and_of_the_answers_rank():
    """The same as scikit-learn's, for errors and squared errors alike; the penalty is 5."""
    answers, labels, traits = drawn(900)
    known = np.column_stack([np.searchsorted(np.sort(answers[:600]), answers) / 600 - 0.5, traits])
    design = np.column_stack([known, np.square(known)])
    rows = Unlabelled(answers[600:], answers[600:], traits[600:])
    found = TASK.estimated(rows, Scored(answers[:600], labels[:600], traits[:600])).metrics
    for name, sizes in (("mae", np.abs(answers - labels)), ("rmse", np.square(answers - labels))):
        taught, centre = sizes[:600], sizes[:600].mean()
        columns = np.column_stack([np.ones(900), design])
        ridge = Ridge(alpha=5.0, fit_intercept=False).fit(columns[:600], taught - centre)
        mean = np.clip(ridge.predict(columns[600:]) + centre, 0, taught.max()).mean()
        assert found[name].value == pytest.approx(np.sqrt(mean) if name == "rmse" else mean, rel=1e-9)


def test_an_unchanged_world_rarely_seems_changed():
    """Of 200 pairs of samples at most one in thirty-three has a p-value below 0.01."""
    found = []
    for seed in range(200):
        answers, labels, traits = drawn(1000, seed)
        then, now = (Scored(answers[part], labels[part], traits[part]) for part in (slice(0, 600), slice(600, None)))
        found.append(TASK.meaning_p_value(then, now))
    assert np.mean(np.array(found) < 0.01) <= 0.03


def test_a_level_shift_is_told_from_a_change_of_meaning():
    """One number added to every label explains the first, and nothing explains a reversed trait."""
    answers, labels, traits = drawn(2000)
    then = Scored(answers[:1000], labels[:1000], traits[:1000])
    higher = Scored(answers[1000:], labels[1000:] + 2, traits[1000:])
    assert TASK.meaning_p_value(then, higher) < 1e-6
    shift = TASK.prior_shift(then, higher)
    assert shift.p_value > 0.01
    assert "mean went from 20" in shift.said
    reversed_ = Scored(answers[1000:], 40 - labels[1000:], traits[1000:])
    assert TASK.prior_shift(then, reversed_).p_value < 1e-6


def test_constant_labels_support_nothing():
    """There is nothing to learn from them, and nothing to judge by."""
    assert TASK.support(np.array([3.0, 3.0, 4.0, 4.0])).tolist() == [0, 0, 1, 2]
    assert "the same number" in (TASK.shortage(np.full(30, 2.0), 10) or "")
    assert TASK.shortage(np.arange(9.0), 10) == "only 9 labels; at least 10 are needed"
    assert TASK.shortage(np.arange(30.0), 10) is None
    assert not TASK.are_answers(np.array([1.0, np.nan]))
