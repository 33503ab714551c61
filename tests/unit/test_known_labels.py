"""Accepted labels read back in a fifth of the memory say what their records say."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from selfheal.errors import RecordIncompatible
from selfheal.labels.known import KnownLabel, known_labels, newest_of
from selfheal.records.labels import Label

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
VALUES = st.sampled_from([0, 1]) | st.floats() | st.text(min_size=1)
MOMENTS = st.datetimes(timezones=st.just(UTC))


def stored(**changes: object) -> bytes:
    label = Label(prediction_id="p-0", label=1, label_timestamp=NOON, received_at=NOON)
    return json.dumps({**label.model_dump(mode="json"), **changes}).encode()


@given(st.lists(st.tuples(st.text(), VALUES, MOMENTS, MOMENTS), max_size=5))
def test_a_label_is_read_as_its_record_is(said: list[tuple[str, int | float | str, datetime, datetime]]):
    """Whatever it says, infinite numbers and odd texts too: the same values of the same types."""
    labels = [Label(prediction_id=a, label=b, label_timestamp=c, received_at=d) for a, b, c, d in said]
    body = b"".join(label.model_dump_json().encode() + b"\n" for label in labels)
    records = [Label.model_validate_json(line) for line in body.splitlines()]
    expected = [(one.prediction_id, one.label, one.label_timestamp, one.received_at) for one in records]
    # Written out, since NaN equals nothing, and 1 equals 1.0.
    assert repr([tuple(label) for label in known_labels(body)]) == repr(expected)


def test_a_moment_of_another_zone_is_told_in_utc():
    """So that labels compare by time whoever wrote them; a whole number other than 0 and 1 is a number."""
    (label,) = known_labels(stored(received_at="2026-03-01T14:00:00+02:00", label=7))
    assert (label.received_at, label.received_at.tzinfo, repr(label.label)) == (NOON, UTC, "7.0")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"label_timestamp": "2026-03-01T14:00:00"}, ValidationError),
        ({"prediction_id": 5}, ValidationError),
        ({"label": None}, ValidationError),
        ({"label": [1]}, ValidationError),
        ({"schema_version": 7}, RecordIncompatible),
    ],
)
def test_what_is_no_label_is_refused_by_name(changes: dict[str, object], error: type[Exception]):
    """As the record refuses it: a moment without a zone, a value of no kind, a release from the future."""
    with pytest.raises(error):
        known_labels(stored(**changes))


def test_of_several_labels_the_newest_counts_and_was_received_when_its_value_was_first():
    """In whatever order they are read: said again isn't news, corrected is, and corrected back isn't."""
    hours = [timedelta(hours=hour) for hour in range(4)]
    said = [KnownLabel("p-0", value, NOON + hour, NOON + hour) for value, hour in zip((1, 1, 0, 1), hours, strict=True)]
    for some in permutations([*said, KnownLabel("q-0", 0, NOON, NOON)]):
        assert newest_of(some) == {
            "p-0": KnownLabel("p-0", 1, NOON + hours[3], NOON),
            "q-0": KnownLabel("q-0", 0, NOON, NOON),
        }
    for some in permutations(said[:3]):
        assert newest_of(some) == {"p-0": said[2]}
