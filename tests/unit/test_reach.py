"""How far evidence reaches: gate 2 and the newest requests."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from selfheal.contract.model import GatePolicy
from selfheal.gates.blend import MemberAnswers, served
from selfheal.gates.evidence import EvidenceRows
from selfheal.gates.preconditions import label_coverage
from selfheal.gates.reach import least_disagreement
from selfheal.records.ledger import Circumstances

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def evidence(difference: float, rows: int = 400) -> EvidenceRows:
    """Two models that differ by so much on every row."""
    before = np.full(rows, 0.4)
    return EvidenceRows(
        row_ids=np.array([str(row) for row in range(rows)], dtype=object),
        timestamps=np.zeros(rows, dtype="datetime64[us]"),
        labels=np.resize([0, 1], rows).astype(np.int8),
        production_probability=before,
        shadow_probability=before + difference,
        production_prediction=np.zeros(rows, dtype=np.int8),
        shadow_prediction=np.zeros(rows, dtype=np.int8),
        weights=np.ones(rows),
        segments=pd.DataFrame(index=range(rows)),
    )


def judged(difference: float, newest: float | None) -> tuple[bool, str]:
    now = Circumstances(
        judged_at=NOW, last_move=None, predictions=500, coverage=0.8, newest_requests=1000, newest_disagreement=newest
    )
    found = label_coverage(evidence(difference), now, GatePolicy())
    return found.passed, found.reason


@pytest.mark.parametrize(("newest", "passed"), [(None, True), (0.0, True), (0.0199, True), (0.0201, False)])
def test_models_may_differ_twice_as_much_on_the_newest_requests(newest: float | None, passed: bool):  # noqa: FBT001 - a case of its table
    """Differences of .1 are .01 squared: .02 is the limit; where nobody looked, coverage alone decides."""
    assert judged(0.1, newest)[0] is passed


def test_the_refusal_says_how_far_and_what_to_do():
    """A ratio, its limit, and that labels of today are waited for."""
    _, reason = judged(0.1, 0.05)
    assert "on the newest 1000 requests the models differ at least 5.0 times as much" in reason
    assert "wait for labels of today's requests" in reason


def test_models_that_agree_on_the_evidence_alone_have_not_been_compared():
    """No difference where they were judged, some where they are asked: nothing is known."""
    assert not judged(0.0, 0.001)[0]
    assert judged(0.0, 0.0)[0]


def test_a_blend_is_compared_where_it_answers_as_it_would_when_served():
    """On rows that the newcomer has seen production's own members answer: that they agree there says nothing of it."""
    probabilities = np.full((400, 2), 0.4)
    probabilities[:, 0] = np.where(np.arange(400) < 300, np.nan, 0.6)
    rows = replace(evidence(0.0), members=MemberAnswers(("new", "old"), probabilities, np.full(2, 0.5)))
    blended = served(rows.members, rows.labels, rows.weights)
    assert np.isnan(blended[:300]).all()
    differing = float(np.square(blended[300:] - 0.4).mean())
    assert differing > 0
    for newest, passed in ((1.9 * differing, True), (2.1 * differing, False)):
        now = Circumstances(
            judged_at=NOW, last_move=None, predictions=1, coverage=1, newest_requests=9, newest_disagreement=newest
        )
        assert label_coverage(rows, now, GatePolicy()).passed is passed


def test_the_least_disagreement_is_below_the_true_one_nineteen_times_in_twenty():
    """Squared differences of exponential spread around a mean of 1, 2,000 draws of 1,000 rows."""
    rng = np.random.default_rng(0)
    differences = np.sqrt(rng.exponential(size=(2000, 1000)))
    bounds = np.array([least_disagreement(row, np.zeros(1000)) for row in differences])
    assert 0.93 <= (bounds <= 1).mean() <= 0.97


def test_one_request_says_nothing():
    """There is no spread to know."""
    assert least_disagreement(np.array([0.9]), np.array([0.1])) is None
