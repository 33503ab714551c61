"""Prediction ids say when they were made."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ulid import ULID

from selfheal.records.predictions import is_prediction_id, moment_of, new_request_id, prediction_id, timestamp_of
from selfheal.stores.prediction_log import log_key

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(10**8, 253_402_000_000_000).map(lambda milliseconds: EPOCH + timedelta(milliseconds=milliseconds))


@given(MOMENTS)
def test_an_id_s_moment_is_the_one_that_the_library_reads(moment: datetime):
    """To the millisecond, for any time; the timestamp and the log's partition agree with it."""
    identifier = new_request_id(moment)
    found = moment_of(identifier)
    assert found == EPOCH + timedelta(milliseconds=ULID.from_str(identifier).milliseconds)
    assert abs(found - moment) <= timedelta(milliseconds=1)
    assert is_prediction_id(prediction_id(identifier, 9999))
    text = timestamp_of(found)
    assert datetime.fromisoformat(text) == found
    assert len(text) == 24
    assert log_key(identifier) == f"predictions/dt={text[:10]}/hh={text[11:13]}/{identifier}.jsonl"


@pytest.mark.parametrize(
    "text", ["", "x", "01JNKQ2Z7I3F8V5T0C9XG4H6RM", "01JNKQ2Z-W", "7ZZZZZZZZZ0000000000000000", "01jnkq2z7w"]
)
def test_other_texts_have_no_moment(text: str):
    """Letters that a ULID leaves out, lower case, and times beyond the calendar."""
    with pytest.raises(ValueError, match=r"."):
        moment_of(text)
    assert not is_prediction_id(f"{text}-0000")


@pytest.mark.parametrize(
    "text", ["01JNKQ2Z7W3F8V5T0C9XG4H6RM", "01JNKQ2Z7W3F8V5T0C9XG4H6RM-1", "01JNKQ2Z7W3F8V5T0C9XG4H6RM-0000\n"]
)
def test_only_whole_prediction_ids_count(text: str):
    """A request's id, a short row number and a trailing line break are not prediction ids."""
    assert not is_prediction_id(text)
