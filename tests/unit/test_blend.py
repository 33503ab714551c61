"""A blend of versions: its weights, and answers in which no row chooses its own weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from selfheal.gates.blend import MemberAnswers, cross_fitted, weights_of
from selfheal.tasks.binary.operating_point import mean_threshold

ONES = np.ones(400)


def members(*columns: np.ndarray, thresholds: tuple[float, ...] = ()) -> MemberAnswers:
    names = tuple(f"v{len(columns) - position}" for position in range(len(columns)))
    return MemberAnswers(names, np.column_stack(columns), np.array(thresholds or [0.5] * len(columns)))


def truth(rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Chances, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    chances = rng.uniform(0.05, 0.95, rows)
    return chances, (rng.random(rows) < chances).astype(np.int8)


def test_equal_versions_have_equal_weights():
    """Three times the same answers: a third each."""
    chances, labels = truth()
    assert weights_of(members(chances, chances, chances), labels, ONES) == pytest.approx([1 / 3] * 3)


def test_the_weight_is_exp_of_minus_the_standard_errors_by_which_a_version_is_worse():
    """z by hand from 25 block sums; the best of the older versions has 1, the newcomer as well."""
    chances, labels = truth()
    worse = expit(logit(chances) + 0.4)
    excess = ((worse - labels) ** 2 - (chances - labels) ** 2).reshape(25, 16).mean(axis=1)
    z = excess.mean() / (excess.std(ddof=1) / 5)
    assert z > 0
    expected = np.array([1.0, 1.0, np.exp(-z)])
    found = weights_of(members(chances, chances, worse), labels, ONES)
    assert found == pytest.approx(expected / expected.sum())


def test_an_older_version_that_is_wrong_way_round_weighs_nothing():
    """Inverted answers are far worse than luck would have it."""
    chances, labels = truth()
    assert weights_of(members(chances, 1 - chances, chances), labels, ONES)[1] < 1e-4


def test_a_newcomer_has_half_of_the_weight_at_the_most():
    """It is right where it may be judged, on the newest quarter, and the one before it is blind: half each."""
    chances, labels = truth()
    newcomer = np.where(np.arange(400) < 300, np.nan, chances)
    assert weights_of(members(newcomer, np.full(400, 0.5)), labels, ONES) == pytest.approx([0.5, 0.5])


def test_only_the_three_newest_that_have_not_seen_a_row_answer_it():
    """Of four versions the oldest answers the rows alone that the newest has seen."""
    chances, labels = truth()
    newest = np.where(np.arange(400) < 300, np.nan, chances)
    answers = members(newest, chances, chances, np.full(400, 0.001))
    found = cross_fitted(answers, labels, ONES)
    assert found.probabilities[300:] == pytest.approx(chances[300:])
    assert not answers.answering[300:, 3].any()
    assert answers.answering[:300, 3].all()
    assert weights_of(answers, labels, ONES)[3] == 0


def test_no_row_chooses_its_own_weights():
    """Other labels in the even blocks change what odd ones are answered, and leave even ones as they were."""
    chances, labels = truth()
    answers = members(chances, expit(logit(chances) + 1), chances)
    even = (np.arange(400) // 16) % 2 == 0
    changed = np.where(even, 1 - labels, labels).astype(np.int8)
    before, after = (cross_fitted(answers, found, ONES).probabilities for found in (labels, changed))
    assert (before[even] == after[even]).all()
    assert (before[~even] != after[~even]).all()


def test_a_blend_decides_by_the_mean_of_its_members_operating_points():
    """Members each at their own threshold are at the blend's: it says yes from there on."""
    thresholds = (0.2, 0.6)
    assert mean_threshold(np.array([0.3, 0.3]), np.array([0.4, 0.6])) == 0.3
    middle = mean_threshold(np.array(thresholds), np.array([0.5, 0.5]))
    assert middle == pytest.approx(expit((logit(0.2) + logit(0.6)) / 2))
    at, below = (np.tile([[t * f for t in thresholds]], (400, 1)) for f in (1.0001, 0.9999))
    for said, decided in ((at, 1), (below, 0)):
        answers = MemberAnswers(("b", "a"), said, np.array(thresholds))
        assert (cross_fitted(answers, np.resize([0, 1], 400).astype(np.int8), ONES).predictions == decided).all()


def test_a_row_that_nobody_may_answer_has_no_answer():
    """Both versions have seen it."""
    chances, labels = truth()
    seen = np.where(np.arange(400) == 7, np.nan, chances)
    found = cross_fitted(members(seen, seen), labels, ONES).probabilities
    assert np.flatnonzero(np.isnan(found)).tolist() == [7]


@settings(max_examples=50)
@given(st.integers(1, 5), st.integers(1, 120), st.integers(0, 2**32 - 1))
def test_blends_of_anything_are_means(count: int, rows: int, seed: int):
    """Whatever the answers, gaps and labels: weights are shares, and an answer lies between those of its members."""
    rng = np.random.default_rng(seed)
    said = rng.choice([0.0, 1e-9, 0.2, 0.7, 1.0, np.nan], size=(rows, count))
    labels = rng.integers(0, 2, rows).astype(np.int8)
    answers = MemberAnswers(tuple(map(str, range(count))), said, rng.uniform(0.1, 0.9, count))
    weights = weights_of(answers, labels, np.ones(rows))
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)
    found = cross_fitted(answers, labels, np.ones(rows)).probabilities
    has_answer = answers.answering.any(axis=1)
    assert (np.isfinite(found) == has_answer).all()
    own = np.where(answers.answering, said, np.nan)[has_answer]
    assert (found[has_answer] >= np.nanmin(own, axis=1) - 1e-9).all()
    assert (found[has_answer] <= np.nanmax(own, axis=1) + 1e-9).all()
