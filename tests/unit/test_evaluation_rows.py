"""Evaluation rows: the newest that neither model has seen, enough of each class, never more than half."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.gates.evaluation_rows import evaluation_start, evidence_start, settled_coverage

START = datetime(2026, 3, 1, tzinfo=UTC)
LONG_AGO = START - timedelta(days=1)
MINUTE = timedelta(minutes=1)


def minutes(*values: int) -> np.ndarray:
    return np.datetime64("2026-03-01", "us") + np.array(values, dtype="timedelta64[m]")


def start_of(
    labels: list[int],
    *,
    minimum: int = 2,
    after: datetime = LONG_AGO,
    unhurried: bool = False,
):
    """Rows of one a minute."""
    return evaluation_start(
        minutes(*range(len(labels))),
        np.array(labels, dtype=np.int8),
        after=after,
        minimum_samples=minimum,
        unhurried=unhurried,
    )


def test_half_of_the_rows_where_there_are_too_few_of_a_class():
    """Ten rows hold no hundred positives: the newest half is taken, as much as the data allow."""
    assert start_of([0, 1] * 5) == START + 5 * MINUTE


def test_the_newest_rows_that_hold_a_hundred_of_each_class():
    """Of 1,000 rows with every second positive the newest 200 suffice."""
    assert start_of([0, 1] * 500) == START + 800 * MINUTE


@pytest.mark.parametrize(("rows", "kept"), [(400, 200), (1000, 250), (3000, 750), (6000, 1000)])
def test_a_quarter_of_the_rows_where_nothing_presses(rows: int, kept: int):
    """A quarter is kept back, a thousand at the most, and never less than the two hundred that hold both classes."""
    assert start_of([0, 1] * (rows // 2), unhurried=True) == START + (rows - kept) * MINUTE


def test_rare_positives_take_more_rows():
    """With 10 % positives a hundred of them take a thousand rows."""
    labels = ([1] + [0] * 9) * 300
    assert start_of(labels) == START + 2000 * MINUTE


def test_at_least_half_of_the_minimum():
    """A thousand rows are asked for: half of them is kept back, although 200 would hold both classes."""
    assert start_of([0, 1] * 500, minimum=1000) == START + 500 * MINUTE


def test_none_where_fewer_rows_are_new_than_asked_for():
    """Ten rows, twelve asked for: nothing can be judged."""
    assert start_of([0, 1] * 5, minimum=12) is None
    assert start_of([0, 1] * 5, minimum=10) == START + 5 * MINUTE


def test_none_without_rows():
    """No labels, no evaluation."""
    assert start_of([]) is None


def test_rows_that_production_has_seen_do_not_judge():
    """All but three of the newest five rows trained or gated production."""
    assert start_of([0, 1] * 5, after=START + 6 * MINUTE) == START + 7 * MINUTE
    assert start_of([0, 1] * 5, after=START + 6 * MINUTE, minimum=4) is None


def test_rows_of_one_moment_stay_together():
    """A request of many rows is either kept back whole or not at all."""
    labels = np.array([0, 1, 0, 1, 0, 1], dtype=np.int8)
    start = evaluation_start(minutes(0, 1, 2, 3, 3, 3), labels, after=LONG_AGO, minimum_samples=2)
    assert start == START + 3 * MINUTE
    assert evaluation_start(minutes(0, 1, 3, 3, 3, 3), labels, after=LONG_AGO, minimum_samples=2) is None


@given(
    rows=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1)), max_size=60),
    after=st.integers(-1, 40),
    minimum=st.integers(1, 20),
)
def test_what_holds_for_all_rows(rows, after, minimum):
    """Whatever the rows: newer than what was seen, half of what is asked for at least, half of all at most."""
    moments = minutes(*(row[0] for row in rows))
    labels = np.array([row[1] for row in rows], dtype=np.int8)
    start = evaluation_start(moments, labels, after=START + after * MINUTE, minimum_samples=minimum)
    if start is not None:
        kept = moments >= np.datetime64(start.replace(tzinfo=None), "us")
        assert start > START + after * MINUTE
        assert minimum / 2 <= kept.sum() <= len(rows) / 2


def test_evidence_reaches_back_to_a_thousand_rows_that_production_has_not_seen():
    """Of 3,000 rows 300 are new; with a hundred that are unknown to production those, with none the new ones."""
    rows, new = minutes(*range(3000)), START + 2699 * MINUTE
    assert evidence_start(rows, newest_of_production=LONG_AGO, newest_of_members=new) == START + 2000 * MINUTE
    seen = START + 2599 * MINUTE
    assert evidence_start(rows, newest_of_production=seen, newest_of_members=new) == START + 2600 * MINUTE
    assert evidence_start(rows, newest_of_production=new, newest_of_members=new) == START + 2700 * MINUTE
    many = START + 999 * MINUTE
    assert evidence_start(rows, newest_of_production=LONG_AGO, newest_of_members=many) == START + 1000 * MINUTE


def test_the_order_of_the_rows_does_not_matter():
    """Shuffled rows have the same start."""
    rng = np.random.default_rng(1)
    labels = (rng.random(1000) < 0.3).astype(np.int8)
    order = rng.permutation(1000)
    moments = minutes(*range(1000))
    straight = evaluation_start(moments, labels, after=LONG_AGO, minimum_samples=50)
    assert straight == evaluation_start(moments[order], labels[order], after=LONG_AGO, minimum_samples=50)


def test_coverage_leaves_out_what_is_too_young_to_be_labelled():
    """Labels take 3 minutes; of ten predictions in ten minutes the oldest eight count, six of them labelled."""
    is_labelled = np.array([True] * 6 + [False] * 4)
    delays = np.full(6, np.timedelta64(3, "m"))
    assert settled_coverage(minutes(*range(10)), is_labelled, delays, now=START + 10 * MINUTE) == pytest.approx(6 / 8)


def test_coverage_is_unknown_without_labels():
    """No label has come: nobody knows how long they take."""
    nothing = np.array([], dtype="timedelta64[us]")
    assert settled_coverage(minutes(0, 1), np.array([False, False]), nothing, now=START + MINUTE) is None
