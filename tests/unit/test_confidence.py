"""How sure a version may be: measured on answers whose truth has come, and applied to the next one."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from selfheal.contract import parse_contract
from selfheal.records.manifest import Confidence
from selfheal.training import train
from selfheal.training.confidence import confidence_of, less_sure
from tests.support.rows import MIXED, mixed_rows

HALF = Confidence(slope=0.5, centre=-1.0, answers=1000)


def answers(rows: int, seed: int, *, overstated: float = 1.0, centre: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores that lie so many times too far from the centre, and what was true."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0.0, 1.5, rows)
    labels = (rng.random(rows) < expit(centre + honest)).astype(np.int8)
    return centre + overstated * honest, labels


def in_turns(rows: int, versions: int = 10) -> np.ndarray:
    """So many versions, each of which answered as many rows in a row."""
    return np.arange(rows) * versions // rows


def test_answers_that_were_twice_as_sure_as_right_halve_the_next_ones():
    """Known answer: scores doubled about the centre give a slope of a half."""
    found = confidence_of(*answers(50_000, 0, overstated=2.0), in_turns(50_000))
    assert found.slope == pytest.approx(0.5, abs=0.02)
    assert found.answers == 50_000


def test_the_slope_is_the_one_of_a_logistic_regression_and_its_standard_error():
    """Where both classes are as frequent, scikit-learn's coefficient without intercept; a standard error lies above."""
    scores, labels = answers(8000, 1, overstated=2.0)
    positive, negative = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
    fewest = min(len(positive), len(negative))
    chosen = np.sort(np.concatenate([positive[:fewest], negative[:fewest]]))
    found = confidence_of(scores[chosen], labels[chosen], in_turns(len(chosen), 40))
    repeated = [coefficient(*answers(len(chosen), seed, overstated=2.0)) for seed in range(2, 62)]
    assert found.slope - coefficient(scores[chosen], labels[chosen]) == pytest.approx(np.std(repeated), rel=0.4)


def coefficient(scores: np.ndarray, labels: np.ndarray) -> float:
    return LogisticRegression(C=1e6, fit_intercept=False).fit(scores[:, None], labels).coef_[0, 0]


def test_honest_answers_take_away_next_to_nothing():
    """Of 200 records of 1,000 honest answers few lower the confidence, and by a seventh at the most."""
    found = [confidence_of(*answers(1000, seed, centre=-2.0), in_turns(1000)) for seed in range(200)]
    slopes = [one.slope for one in found if one is not None]
    assert len(slopes) < 0.1 * len(found)
    assert min(slopes) > 6 / 7


def test_a_version_that_went_wrong_as_a_whole_counts_as_one():
    """The same answers prove less where few versions gave all the wrong ones than where each gave some."""
    rng = np.random.default_rng(3)
    versions = in_turns(2000)
    right = versions >= 3
    scores = rng.choice([-2.0, 2.0], len(right))
    labels = (np.where(right, scores, -scores) > 0).astype(np.int8)
    spread = confidence_of(scores, labels, rng.permutation(versions))
    assert spread.slope < 0.5
    assert confidence_of(scores, labels, versions).slope > spread.slope + 0.1


def test_two_versions_are_no_habit():
    """One of them may have met with a change that comes once: nothing is said before there are three."""
    scores, labels = answers(5000, 5, overstated=3.0)
    assert confidence_of(scores, labels, in_turns(5000, 2)) is None
    assert confidence_of(scores, labels, in_turns(5000, 3)) is not None


@pytest.mark.parametrize("later", [5, 300, 2000])
def test_one_version_that_went_wrong_takes_next_to_nothing_away(later: int):
    """The first met with a change; two that learnt it are honest on so many rows each: nothing is drawn by much."""
    slopes = []
    for seed in range(40):
        wrong, honest = answers(2000, seed, overstated=4.0), answers(2 * later, 1000 + seed)
        scores, labels = (np.concatenate(pair) for pair in zip(wrong, honest, strict=True))
        found = confidence_of(scores, labels, np.repeat([0, 1, 2], [2000, later, later]))
        slopes.append(1.0 if found is None else found.slope)
    assert np.mean(slopes) > 0.95
    assert min(slopes) > 0.8


def test_too_modest_answers_make_no_version_surer():
    """Scores half as far from the centre as they might be: nothing is said."""
    assert confidence_of(*answers(5000, 4, overstated=0.5), in_turns(5000)) is None


def test_answers_that_are_mostly_wrong_leave_little():
    """Where the likeliest slope would turn the order round, little is left, and the order stays."""
    scores, labels = answers(5000, 6)
    assert 0 < confidence_of(-scores, labels, in_turns(5000)).slope < 0.1


@pytest.mark.parametrize("labels", [[], [1, 1, 1], [0, 0, 0]])
def test_one_class_says_nothing(labels: list[int]):
    """Without both classes, or without answers at all, confidence stays."""
    rows = len(labels)
    assert confidence_of(np.full(rows, 3.0), np.array(labels, dtype=np.int8), np.arange(rows)) is None


def test_a_less_sure_model_decides_as_before():
    """Its probabilities are drawn towards the centre, its threshold with them: each prediction is the same."""
    rows = mixed_rows(1500)
    trained = train(rows, MIXED)
    labels = rows.labels[-len(trained.tuning_probabilities) :]
    modest = less_sure(trained, HALF, MIXED, labels)
    fresh = mixed_rows(1000, seed=1).features
    before, after = trained.fitted.probabilities(fresh), modest.fitted.probabilities(fresh)
    np.testing.assert_allclose(logit(after), -1.0 + 0.5 * (logit(before) + 1.0), atol=1e-9)
    assert ((before >= trained.fitted.threshold) == (after >= modest.fitted.threshold)).all()
    assert modest.metrics["f1"] == pytest.approx(trained.metrics["f1"])
    assert modest.metrics["brier"] == pytest.approx(np.mean((modest.tuning_probabilities - labels) ** 2))


def test_a_threshold_that_the_contract_names_stays():
    """An operating point that somebody has chosen isn't moved."""
    fixed = parse_contract(
        '[model]\nname = "fixed"\ntarget = "y"\nthreshold = 0.3\n[features.x]\ntype = "number"\n[features.kind]\n'
        'type = "category"\n'
    )
    rows = mixed_rows(1500)
    trained = train(rows, MIXED)
    labels = rows.labels[-len(trained.tuning_probabilities) :]
    assert less_sure(trained, HALF, fixed, labels).fitted.threshold == 0.3
