"""Whatever the state machine has gathered, the promotion function finds out how the healing ended."""

import json

from hypothesis import given
from hypothesis import strategies as st

from selfheal.healing.state import result_of
from selfheal.records.healing import Ending

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab{}.", max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["outcome", "reason", "Cause"]), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(["training", "labels", "verdict", "failure"])
TRAINED = {"outcome": "trained", "reason": "enough", "version": "v2", "evaluation_from": "2026-03-01T00:00:00Z"}


@given(st.dictionaries(KEYS, JSON))
def test_no_state_is_an_error(state):
    """Any JSON under any key ends in `failed` or `skip`, with a reason."""
    ending = result_of(state)
    assert isinstance(ending, Ending)
    assert ending.kind in {"failed", "skip"}
    assert ending.reason


def test_an_error_of_a_function_is_told_in_its_own_words():
    """Lambda's JSON cause is reduced to its message."""
    cause = json.dumps({"errorType": "StoreUnavailable", "errorMessage": "S3 didn't answer", "stackTrace": ["…"]})
    ending = result_of({"training": TRAINED, "failure": {"Error": "StoreUnavailable", "Cause": cause}})
    assert ending == Ending(kind="failed", reason="StoreUnavailable: S3 didn't answer", version="v2")


def test_a_verdict_is_what_a_promotion_needs():
    """A verdict with its gates is handed on as it is."""
    verdict = {"version": "v2", "kind": "reject", "reason": "one of seven failed", "gates": [], "evidence": None}
    judged = result_of({"training": TRAINED, "verdict": verdict})
    assert (judged.version, judged.kind) == ("v2", "reject")
