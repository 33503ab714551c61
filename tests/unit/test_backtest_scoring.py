"""Metrics of a policy's run, and whether a version was worse than another."""

import numpy as np
import pytest

from selfheal_tools.backtest.scoring import Answers, blocks_of_days, mean_of, measured, worse_by
from selfheal_tools.backtest.verdict import regained

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
    assert (metrics.auc, metrics.f1, metrics.brier) == (1.0, 1.0, 0.0)
    assert metrics.logloss == pytest.approx(0.0, abs=1e-9)


def test_intervals_hold_the_value_and_rows_of_one_class_have_no_area():
    """Each interval lies around its metric; without both classes there is no ROC curve."""
    metrics = measured(answers())
    for name, (low, high) in metrics.intervals.items():
        assert low < getattr(metrics, name) < high
    known = answers()
    zeros = Answers(known.timestamps, np.zeros(len(known), np.int8), known.probabilities, known.predictions)
    assert measured(zeros).auc is None
    assert "auc" not in measured(zeros).intervals


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
    assert mean_of(both).brier == pytest.approx((both[0].brier + both[1].brier) / 2)


@pytest.mark.parametrize(("brier", "share"), [(0.20, 0.0), (0.15, 0.5), (0.10, 1.0), (0.22, -0.2)])
def test_the_share_of_the_gap_that_was_regained(brier: float, share: float):
    """Between frozen at 0.2 and oracle at 0.1."""
    assert regained(brier, 0.2, 0.1) == pytest.approx(share)


def test_no_gap_has_no_share():
    """Where hindsight gains less than half a percent, nothing was lost."""
    assert regained(0.2, 0.2, 0.1995) is None
