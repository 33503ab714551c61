"""Another population visits: a healing is judged by it alone, and the usual traffic has come back."""

from datetime import timedelta

from selfheal.contract import Contract
from selfheal.records.healing import Verdict
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from tests.support.healing import CONTRACT, DAY, START, healed_environment, traffic, trained

LATER = START + 10 * DAY


def verdict(contract: Contract = CONTRACT, *, usual: float) -> Verdict:
    """Labels of visitors, whose x is near 0 and says the truth; after them traffic without labels yet, x so wide."""
    stores, healing = healed_environment(contract)
    traffic(stores, since=START + 9 * DAY, rows=800, spread=0.7)
    newest = LATER - timedelta(seconds=1_010)
    traffic(stores, since=newest, rows=1_000, every=timedelta(seconds=1), label_delay=None, spread=usual, seed=1)
    return evaluate_gates(stores, healing, trained(), LATER)


def test_a_blend_that_visitors_alone_have_judged_waits_for_labels_of_the_usual_traffic():
    """Far from 0, where nobody looked, it differs from production more than twice as much: gate 2, and no other."""
    found = verdict(usual=5.0)
    assert found.kind == "reject"
    assert [gate.gate for gate in found.gates if not gate.passed] == ["label_coverage"]
    assert "wait for labels of today's requests" in found.reason


def test_without_a_limit_the_visitors_would_have_promoted_it():
    """What the limit prevents: with a reach without end all gates pass."""
    gates = CONTRACT.policy.gates.model_copy(update={"maximum_reach": 1e9})
    policy = CONTRACT.policy.model_copy(update={"gates": gates})
    assert verdict(CONTRACT.model_copy(update={"policy": policy}), usual=5.0).kind == "promote"


def test_evidence_of_the_traffic_that_goes_on_is_no_reason_to_wait():
    """The same rows, and newest requests like them: promoted."""
    assert verdict(usual=0.7).kind == "promote"
