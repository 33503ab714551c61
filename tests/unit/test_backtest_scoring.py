"""Metrics of a policy's run, and whether a version was worse than another."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

from selfheal.tasks import Multiclass, Regression
from selfheal_tools.backtest.records import Metrics
from selfheal_tools.backtest.scoring import Answers, blocks_of_days, mean_of, measured, worse_by
from selfheal_tools.backtest.verdict import regained
from selfheal_tools.backtest.words import WORDS, mean_loss

START = np.datetime64("2026-01-01T00:00:00", "us")
HOUR = np.timedelta64(1, "h")


def answers(rows: int = 1_200, noise: float = 0.0, seed: int = 0) -> Answers:
    rng = np.random.default_rng(seed)
    truth = rng.random(rows)
    labels = (rng.random(rows) < truth).astype(np.int8)
    said = np.clip(truth + noise * rng.normal(size=rows), 0.001, 0.999)
    return Answers(START + np.arange(rows) * HOUR, labels, said, (said >= 0.5).astype(np.int8))


def test_known_answers_of_a_perfect_model():
    """Every row right and sure: area and F1 of one, no loss."""
    labels = np.tile([0, 1], 50).astype(np.int8)
    perfect = Answers(START + np.arange(100) * HOUR, labels, labels.astype(float), labels)
    metrics = measured(perfect)
    assert [metrics.of(name) for name in ("auc", "f1", "brier")] == [1.0, 1.0, 0.0]
    assert metrics.of("logloss") == pytest.approx(0.0, abs=1e-9)


def test_intervals_hold_the_value_and_rows_of_one_class_have_no_area():
    """Each interval lies around its metric; without both classes there is no ROC curve."""
    metrics = measured(answers())
    for name, (low, high) in metrics.intervals.items():
        assert low < metrics.of(name) < high
    known = answers()
    zeros = Answers(known.timestamps, np.zeros(len(known), np.int8), known.probabilities, known.predictions)
    assert measured(zeros).metrics["auc"] is None
    assert "auc" not in measured(zeros).intervals


def of_classes(rows: int = 900) -> Answers:
    rng = np.random.default_rng(5)
    said = rng.dirichlet(np.ones(3), rows)
    labels = np.array([rng.choice(3, p=row) for row in said], dtype=np.int8)
    return Answers(
        START + np.arange(rows) * HOUR, labels, said, said.argmax(axis=1).astype(np.int8), Multiclass(("a", "b", "c"))
    )


def of_numbers(rows: int = 900) -> Answers:
    rng = np.random.default_rng(6)
    labels = 100 + 20 * rng.normal(size=rows)
    said = labels + 7 * rng.normal(size=rows)
    return Answers(START + np.arange(rows) * HOUR, labels, said, said, Regression(120.0))


def test_metrics_of_several_classes_are_those_of_scikit_learn():
    """Accuracy, macro F1, log loss and ROC AUC against the rest; Brier is half the mean squared distance."""
    known = of_classes()
    found, said, labels = measured(known).metrics, known.probabilities, known.labels
    assert list(found) == ["auc", "macro_f1", "accuracy", "brier", "logloss"]
    assert found == {
        "auc": pytest.approx(roc_auc_score(labels, said, multi_class="ovr")),
        "macro_f1": pytest.approx(f1_score(labels, known.predictions, average="macro")),
        "accuracy": pytest.approx(accuracy_score(labels, known.predictions)),
        "brier": pytest.approx(np.square(said - np.eye(3)[labels]).sum(axis=1).mean() / 2),
        "logloss": pytest.approx(log_loss(labels, said)),
    }


def test_metrics_of_numbers_are_those_of_scikit_learn():
    """RMSE, MAE and R² in the target's unit; the loss is the squared error over the squared spread, 1 at the most."""
    known = of_numbers()
    found, said, labels = measured(known).metrics, known.probabilities, known.labels
    assert found == {
        "rmse": pytest.approx(root_mean_squared_error(labels, said)),
        "mae": pytest.approx(mean_absolute_error(labels, said)),
        "r2": pytest.approx(r2_score(labels, said)),
        "relative_squared_error": pytest.approx(mean_squared_error(labels, said) / 120**2),
    }


@pytest.mark.parametrize("known", [of_classes(), of_numbers()], ids=["classes", "numbers"])
def test_every_metric_of_a_task_has_an_interval_around_it_and_a_name_for_people(known: Answers):
    """Whatever is measured can be drawn, told and ranked by."""
    metrics = measured(known)
    assert set(metrics.intervals) == set(metrics.metrics) <= set(WORDS)
    for name, (low, high) in metrics.intervals.items():
        assert low < metrics.of(name) < high
    assert mean_loss(metrics.metrics) == known.task.mean_loss
    assert metrics.of(mean_loss(metrics.metrics)) == pytest.approx(known.losses.mean())


def test_metrics_stand_under_their_own_names_in_the_file():
    """The record is read back from it, and refuses what is no metric."""
    metrics = measured(of_numbers())
    written = metrics.model_dump()
    assert list(written) == ["rows", "rmse", "mae", "r2", "relative_squared_error", "intervals"]
    assert Metrics.model_validate(written) == metrics
    with pytest.raises(ValidationError, match="elegance"):
        Metrics.model_validate({**written, "elegance": 1.0})


def test_a_noisy_version_is_worse_and_a_copy_is_not():
    """The test finds noise of a third, and nothing between a version and itself."""
    good, noisy = answers(), answers(noise=0.3)
    losses = [(one.probabilities - good.labels) ** 2 for one in (good, noisy)]
    rise, p_value = worse_by(losses[0], losses[1], good.timestamps)
    assert rise > 0
    assert p_value < 0.01
    assert worse_by(losses[0], losses[0], good.timestamps) == (0.0, 1.0)


def test_blocks_are_whole_days_where_there_are_enough_of_them():
    """Fifty days make 25 blocks of two; rows of one day stay together."""
    blocks = blocks_of_days(START + np.arange(1_200) * HOUR)
    assert blocks.max() == 24
    assert (np.bincount(blocks) == 48).all()


def test_few_days_are_divided_by_rows():
    """Three days say too little as three blocks."""
    assert blocks_of_days(START + np.arange(72) * HOUR).max() == 24


def test_the_mean_of_courses_is_that_of_each_metric():
    """Two runs: the mean between them."""
    both = [measured(answers()), measured(answers(noise=0.5))]
    assert mean_of(both).of("brier") == pytest.approx((both[0].of("brier") + both[1].of("brier")) / 2)


@pytest.mark.parametrize(("brier", "share"), [(0.20, 0.0), (0.15, 0.5), (0.10, 1.0), (0.22, -0.2)])
def test_the_share_of_the_gap_that_was_regained(brier: float, share: float):
    """Between frozen at 0.2 and oracle at 0.1."""
    assert regained(brier, 0.2, 0.1) == pytest.approx(share)


def test_no_gap_has_no_share():
    """Where hindsight gains less than half a percent, nothing was lost."""
    assert regained(0.2, 0.2, 0.1995) is None
