"""The label store reads no more than it is asked for, and nothing else than what is there."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from selfheal.records.labels import Label
from selfheal.records.predictions import new_request_id, prediction_id
from selfheal.stores.labels import LabelStore
from selfheal.stores.memory import MemoryBucket
from selfheal_tools.backtest.stores import ReplayStores

START = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = st.integers(min_value=0, max_value=24 * 6)


def label_of(key: str, value: int | str) -> Label:
    return Label(prediction_id=key, label=value, label_timestamp=START, received_at=START)


@given(st.lists(HOURS, max_size=30), HOURS, HOURS, st.integers(min_value=1, max_value=40))
def test_the_newest_labelled_moments_are_those_of_a_full_look(hours: list[int], first: int, last: int, at_most: int):
    """Whatever was labelled, some of it twice: the newest in [start, end), newest first, each prediction once."""
    store = LabelStore(MemoryBucket())
    moments = [START + timedelta(hours=hour) for hour in hours]
    keys = [prediction_id(new_request_id(moment), 0) for moment in moments]
    store.accept([label_of(key, 0) for key in keys])
    store.accept([label_of(key, 1) for key in keys[::2]])
    start, end = START + timedelta(hours=first), START + timedelta(hours=last)
    inside = sorted((moment for moment in moments if start <= moment < end), reverse=True)
    assert store.newest_between(start, end, at_most) == inside[:at_most]


def test_a_replay_parses_each_object_of_labels_once():
    """Its label store answers as the usual one does, and hands out what it has parsed before."""
    stores, key = ReplayStores(), prediction_id(new_request_id(START), 0)
    stores.labels.accept([label_of(key, 1)])
    first, again = (stores.labels.of_predictions_between(START, START + timedelta(hours=1)) for _ in range(2))
    assert first == LabelStore(stores.data).of_predictions_between(START, START + timedelta(hours=1))
    assert first[key] is again[key]


@given(st.lists(st.tuples(HOURS, st.sampled_from("abc")), max_size=30), HOURS, HOURS)
def test_the_values_of_labels_are_those_of_a_full_look(said: list[tuple[int, str]], first: int, last: int):
    """Read a day at a time: what was corrected since counts as corrected, and what lies outside doesn't count."""
    store = LabelStore(MemoryBucket())
    for hour, value in said:
        store.accept([label_of(prediction_id(new_request_id(START + timedelta(hours=hour)), 0), value)])
    for hour, _ in said[::3]:
        store.accept([label_of(prediction_id(new_request_id(START + timedelta(hours=hour)), 0), "d")])
    start, end = START + timedelta(hours=first), START + timedelta(hours=last)
    whole = store.of_predictions_between(start, end).values()
    assert store.values_between(start, end) == {label.label for label in whole}
