"""Several classes: losses, metrics, estimates and tests against known answers and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from selfheal.tasks import BINARY, Multiclass, Scored, Unlabelled
from selfheal.tasks.multiclass.calibration import fit_temperature

TASK = Multiclass(("a", "b", "c", "d"))


def drawn(rows: int, seed: int = 0, classes: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Honest probabilities, labels drawn from them, and traits that they follow from."""
    rng = np.random.default_rng(seed)
    traits = rng.normal(size=(rows, 2))
    scores = traits @ rng.normal(size=(2, classes)) + rng.normal(size=classes)
    chances = TASK.answers(scores)
    labels = (np.cumsum(chances, axis=1) < rng.random((rows, 1))).sum(axis=1).astype(np.int8)
    return chances, labels, traits


@given(seed=st.integers(0, 1000))
def test_losses_lie_between_none_and_all(seed: int):
    """Half the squared distance to the truth is in [0, 1]: 0 for certainty that is right, 1 for one that is wrong."""
    chances, labels, _ = drawn(50, seed)
    losses = TASK.losses(chances, labels)
    assert ((losses >= 0) & (losses <= 1)).all()
    certain = np.eye(4)[labels]
    assert TASK.losses(certain, labels) == pytest.approx(np.zeros(50))
    assert TASK.losses(np.roll(certain, 1, axis=1), labels) == pytest.approx(np.ones(50))


def test_of_two_classes_the_loss_is_the_brier_loss():
    """So that a binary target means the same whichever way it is told."""
    chances, labels, _ = drawn(200, classes=2)
    assert TASK.losses(chances, labels) == pytest.approx(BINARY.losses(chances[:, 1], labels))
    assert TASK.support(labels).tolist() == BINARY.support(labels).tolist()


def test_a_class_that_came_later_is_wholly_missed():
    """A model can't give a class that it doesn't know any probability."""
    chances, labels, _ = drawn(5)
    labels[:] = 4
    assert TASK.losses(chances, labels) == pytest.approx((np.square(chances).sum(axis=1) + 1) / 2)
    assert not (TASK.predictions(chances, np.nan) == labels).any()


def test_metrics_equal_those_of_scikit_learn():
    """Accuracy, macro F1, log loss, one-against-rest AUC, and the Brier score as half the squared distance."""
    chances, labels, _ = drawn(500)
    predictions = TASK.predictions(chances, np.nan)
    found = TASK.realised(chances, predictions, labels).metrics
    assert found["accuracy"].value == pytest.approx(metrics.accuracy_score(labels, predictions))
    assert found["macro_f1"].value == pytest.approx(metrics.f1_score(labels, predictions, average="macro"))
    assert found["log_loss"].value == pytest.approx(metrics.log_loss(labels, chances))
    assert found["roc_auc"].value == pytest.approx(metrics.roc_auc_score(labels, chances, multi_class="ovr"))
    assert found["brier"].value == pytest.approx(np.square(chances - np.eye(4)[labels]).sum(axis=1).mean() / 2)
    tuning = TASK.tuning_metrics(chances, labels, np.nan)
    assert {name: found[name].value for name in found} == pytest.approx({name: tuning[name] for name in found})
    for estimate in found.values():
        assert estimate.low <= estimate.value <= estimate.high


def test_metrics_of_blocks_add_up():
    """Macro F1 of sums over blocks is that of all rows."""
    chances, labels, _ = drawn(300)
    metric, predictions = TASK.gate_metrics["macro_f1"], TASK.predictions(chances, np.nan)
    sums = metric.sums(chances, predictions, labels, np.ones(300), np.arange(300) % 7)
    whole = metric.of_sums(sums.sum(axis=0, keepdims=True))[0]
    assert whole == pytest.approx(metrics.f1_score(labels, predictions, average="macro"))


def test_a_temperature_that_was_taken_away_is_found_again():
    """Probabilities whose logarithms were halved are worth what they were before."""
    chances, labels, _ = drawn(4000)
    flattened = TASK.answers(0.5 * TASK.scores(chances))
    assert np.exp(fit_temperature(flattened, labels).log_slope) == pytest.approx(2.0, abs=0.15)
    assert fit_temperature(chances, labels).of(chances) == pytest.approx(chances, abs=0.05)


def test_estimates_without_labels_hold_what_labels_then_say():
    """On rows like the tuning ones each realised metric lies within the estimated interval, or close to it."""
    chances, labels, traits = drawn(6000)
    tuning = Scored(chances[:2000], labels[:2000], traits[:2000])
    rest = Unlabelled(chances[2000:], TASK.predictions(chances[2000:], np.nan), traits[2000:])
    estimated = TASK.estimated(rest, tuning).metrics
    realised = TASK.realised(rest.answers, rest.predictions, labels[2000:]).metrics
    for name, estimate in estimated.items():
        assert estimate.value == pytest.approx(realised[name].value, abs=0.03)
        assert estimate.low <= estimate.value <= estimate.high
    expected = TASK.expected_losses(tuning)(rest.answers, rest.traits)
    assert expected.mean() == pytest.approx(realised["brier"].value, abs=0.02)


def test_an_unchanged_world_rarely_seems_changed():
    """Of 200 pairs of samples at most one in thirty-three has a p-value below 0.01, nor is honesty doubted."""
    found, doubted = [], []
    for seed in range(200):
        chances, labels, traits = drawn(1200, seed)
        then, now = (Scored(chances[part], labels[part], traits[part]) for part in (slice(0, 800), slice(800, None)))
        found.append(TASK.meaning_p_value(then, now))
        doubted.append(TASK.excess_p_value(now.answers, now.labels))
    assert np.mean(np.array(found) < 0.01) <= 0.03
    assert np.mean(np.array(doubted) < 0.05) <= 0.085


def test_exchanged_classes_are_a_change_of_meaning_and_a_prior_shift_is_told_from_it():
    """Where two classes are exchanged no factor explains it; where one class is sampled more, factors do."""
    chances, labels, traits = drawn(6000)
    then = Scored(chances[:3000], labels[:3000], traits[:3000])
    exchanged = np.array([1, 0, 2, 3], dtype=np.int8)[labels[3000:]]
    concept = Scored(chances[3000:], exchanged, traits[3000:])
    assert TASK.meaning_p_value(then, concept) < 1e-6
    assert TASK.prior_shift(then, concept).p_value < 0.01
    rng = np.random.default_rng(1)
    kept = 3000 + np.flatnonzero((labels[3000:] != 0) | (rng.random(3000) < 0.3))
    sampled = Scored(chances[kept], labels[kept], traits[kept])
    assert TASK.meaning_p_value(then, sampled) < 0.01
    assert TASK.prior_shift(then, sampled).p_value > 0.01


def test_what_is_enough_is_counted_beside_the_commonest_class():
    """Worked by hand, row by row; one class alone supports nothing."""
    assert TASK.support(np.array([0, 0, 1, 2, 2, 2], dtype=np.int8)).tolist() == [0, 0, 1, 2, 2, 3]
    assert "one class" in (TASK.shortage(np.zeros(9, dtype=np.int8), 5) or "")
    assert TASK.shortage(np.array([0, 1, 2] * 5, dtype=np.int8), 5) is None


def test_what_is_no_distribution_is_no_answer():
    """NaN, negative shares and rows that don't add up are refused."""
    assert TASK.are_answers(np.array([[0.2, 0.8], [1.0, 0.0]]))
    for wrong in ([np.nan, np.nan], [0.5, 0.6], [-0.1, 1.1]):
        assert not TASK.are_answers(np.array([wrong]))
