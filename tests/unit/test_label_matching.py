"""Which predictions a label by id means: worked by hand, for each rule."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.labels.matching import match
from selfheal.records.labels import LabelById
from selfheal.records.predictions import moment_of, new_request_id, prediction_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = 10 * DAY


def label(at: datetime = NOON, *, received_at: datetime = NOON) -> LabelById:
    return LabelById(id="a", label=1, label_timestamp=at, received_at=received_at, upload="u.csv", line=2)


def made(*days: float) -> list[str]:
    """Predictions so many days after noon."""
    return [prediction_id(new_request_id(NOON + day * DAY), 0) for day in days]


def meant(candidates: list[str], rule: str = "newest", at: datetime = NOON) -> list[str]:
    return [found.prediction_id for found in match(label(at), candidates, WINDOW, rule).labels]


def test_the_newest_before_the_label_is_meant():
    """Not an older one, one that was made after it, or one outside the window."""
    old, newer, newest, later = made(-11, -9, -1, 1)
    assert meant([later, newest, old, newer]) == [newest]
    assert meant([old, newer, later], at=NOON - 5 * DAY) == [newer]


def test_the_window_holds_both_of_its_ends():
    """A prediction of the same moment is before the label; one as old as the window is long is just in it."""
    for days in (0, -10):
        (edge,) = made(days)
        assert meant([edge]) == [edge]
    assert meant(made(-10.001)) == []


def test_a_label_without_a_prediction_before_it_means_the_first_after():
    """It came before its prediction did; a second prediction under the id changes nothing."""
    first, second, beyond = made(2, 3, 10.001)
    for rule in ("newest", "all", "refuse"):
        assert meant([second, first], rule) == [first]
        assert meant([beyond], rule) == []
        assert meant([], rule) == []


def test_all_means_each_before_the_label():
    """Each of them is labelled, and none of those after."""
    first, second, later = made(-3, -2, 1)
    assert meant([later, second, first], "all") == [first, second]


def test_refuse_means_none_where_there_are_two():
    """With a reason that says how many and in what time; a single one is meant."""
    first, second, later = made(-3, -2, 1)
    found = match(label(), [first, second], WINDOW, "refuse")
    assert found.labels == []
    assert "2 predictions were made under this id within 10 days" in found.refusal
    assert meant([first, later], "refuse") == [first]


def test_a_label_has_arrived_when_both_are_there():
    """The one that waited for its prediction arrived with it; others when they were uploaded."""
    (before,), (after,) = made(-1), made(1)
    assert match(label(), [before], WINDOW, "newest").labels[0].received_at == NOON
    assert match(label(), [after], WINDOW, "newest").labels[0].received_at == moment_of(after)


MOMENTS = st.lists(st.integers(-20, 20), max_size=5)


@given(MOMENTS, st.sampled_from(["newest", "all", "refuse"]), st.randoms())
def test_the_order_of_predictions_decides_nothing_and_none_is_meant_outside_the_window(days, rule, random):
    """Whatever was predicted when: the same answer in any order, within the window, of what was there."""
    candidates = made(*days)
    shuffled = random.sample(candidates, len(candidates))
    first, again = (match(label(), listed, WINDOW, rule) for listed in (candidates, shuffled))
    assert first == again
    assert all(abs(moment_of(found.prediction_id) - NOON) <= WINDOW for found in first.labels)
    assert bool(first.labels or first.refusal) == any(abs(day) <= 10 for day in days)


@pytest.mark.parametrize("rule", ["newest", "all", "refuse"])
def test_what_is_said_is_what_was_uploaded(rule):
    """Value, time and source are the label's own."""
    (key,) = made(-1)
    stated = label().model_copy(update={"label": 0, "source": "crm"})
    (found,) = match(stated, [key], WINDOW, rule).labels
    assert (found.label, found.label_timestamp, found.source) == (0, NOON, "crm")
