"""The bet of the probation: known answers, no peeking ahead, and wealth that stays positive."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from selfheal.healing.probation import e_process

DIFFERENCES = arrays(np.float64, st.integers(0, 60), elements=st.floats(-1, 1))


def test_four_rows_worked_by_hand():
    """Stakes 0, 0 (one row has no variance), then mean 0.3 / variance 0.01 held to 0.9, then mean / variance."""
    found = e_process(np.array([0.2, 0.4, -0.6, 0.5]))
    third = 1 + 0.9 * -0.6
    assert found == pytest.approx([1, 1, third, third], rel=1e-9)


def test_stake_is_mean_over_variance_of_what_came_before():
    """After 1, -1, 1, 0, 0 the stake is mean 0.2 / variance 0.56."""
    found = e_process(np.array([1.0, -1.0, 1.0, 0.0, 0.0, 0.5]))
    assert found[-1] / found[-2] == pytest.approx(1 + (0.2 / 0.56) * 0.5)


@given(DIFFERENCES, st.integers(0, 59))
def test_a_later_row_changes_nothing_that_was_seen(differences, seen: int):
    """The wealth after each row is known then: it may be looked at any time."""
    assert e_process(differences[:seen]) == pytest.approx(e_process(differences)[:seen])


@given(DIFFERENCES)
def test_wealth_stays_positive(differences):
    """Whatever comes, the bet is never ruined."""
    assert np.all(e_process(differences) > 0)


def test_no_rows_no_wealth():
    """An empty probation has no values."""
    assert len(e_process(np.array([]))) == 0


def test_equal_versions_reach_the_limit_in_at_most_five_percent_however_often_looked_at():
    """1,000 probations of 2,000 rows, looked at after each row: within Ville's bound."""
    rng = np.random.default_rng(11)
    reached = sum(e_process(rng.normal(0, 0.1, 2000).clip(-1, 1)).max() >= 20 for _ in range(1000))
    assert reached <= 50


def test_a_worse_version_is_found():
    """A mean loss of a fifth of its spread is found within 500 rows nearly always."""
    rng = np.random.default_rng(12)
    reached = sum(e_process(rng.normal(0.02, 0.1, 500)).max() >= 20 for _ in range(200))
    assert reached >= 190
