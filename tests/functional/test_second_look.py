"""A shadow model that gate 7 alone refused gets one more look, on rows that it wasn't judged by."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from selfheal.composition import Stores
from selfheal.errors import VerificationFailed
from selfheal.records.healing import Verdict
from selfheal.records.labels import Label
from selfheal.records.ledger import Approval
from selfheal.records.manifest import Confidence
from selfheal.records.monitoring import FaultPeriod
from selfheal.stores.registry import SERVING
from selfheal.usecases import second_look
from selfheal.usecases.check_probation import check_probation
from selfheal.usecases.conclude import conclude, promote_first
from selfheal.usecases.evaluate_gates import evaluate_gates
from selfheal.usecases.evidence import read_evidence
from selfheal.usecases.promote import force_promotion
from selfheal.usecases.roll_back import roll_back
from selfheal.usecases.second_look import refused_for_want_of_evidence
from selfheal.usecases.verify import verify
from tests.support.healing import (
    DAY,
    HOUR,
    START,
    FakeNotifications,
    healing_of,
    memory_stores,
    traffic,
    trained,
    write_version,
)

FIRST_LOOK = START + 10 * DAY
SECOND_LOOK = FIRST_LOOK + 2 * DAY
SLOPE = 0.5
NEARLY_AS_SURE = Confidence(slope=0.9, centre=0.0, answers=1000)


def refused_once(*, v2: float = SLOPE, modest: str | None = None) -> tuple[Stores, list[str]]:
    """v1 (blind to x) in production; v2 judged on 200 rows and refused. And the ids of those rows."""
    stores = memory_stores()
    promote_first(stores, write_version(stores, "v1", slope=0.0), now=START, actor="test")
    if modest:
        write_version(stores, modest, slope=v2, evaluation_from=START + 9 * DAY, confidence=NEARLY_AS_SURE)
    write_version(stores, "v2", slope=v2, evaluation_from=START + 9 * DAY, modest=modest)
    write_version(stores, "v3", slope=-SLOPE, evaluation_from=FIRST_LOOK + HOUR)
    ids = traffic(stores, since=START + 9 * DAY, rows=200, slope=SLOPE)
    verdict = judged(stores, "v2", FIRST_LOOK, "v1-0")
    assert (verdict.version, verdict.kind) == ("v2", "reject")
    return stores, ids


def judged(stores: Stores, shadow: str, now: datetime, execution: str) -> Verdict:
    """The verdict of a healing that trained `shadow`, as the ledger has it."""
    healing = healing_of(stores, execution, now)
    since = stores.models.manifest(shadow).evaluation_from
    verdict = evaluate_gates(stores, healing, trained(shadow, since), now)
    conclude(stores, healing, verdict, now)
    return verdict


def failed(verdict: Verdict) -> list[str]:
    return [gate.gate for gate in verdict.gates if not gate.passed]


def test_what_two_hundred_rows_could_not_prove_the_rows_since_do():
    """v2 was refused by gate 7 alone; when the newer v3 is refused too, v2 is promoted, on rows that are new to it."""
    stores, seen = refused_once()
    since = traffic(stores, since=FIRST_LOOK, rows=800, slope=SLOPE, seed=1)
    verdict = judged(stores, "v3", SECOND_LOOK, "v1-1")
    assert (verdict.version, verdict.kind, failed(verdict)) == ("v2", "promote", [])
    assert "on 800 rows since: all 7 gates passed" in verdict.reason
    assert "the newer v3: " in verdict.reason
    assert verdict.also_judged.version == "v3"
    judging = set(read_evidence(stores, verdict.evidence).row_ids)
    assert judging == set(since)
    assert not judging & set(seen)
    assert stores.pointer.read().pointer.version == "v2"
    assert verify(stores).verdicts == 3


def test_a_newer_shadow_model_that_passes_goes_first():
    """v3 passes by itself: nobody looks at v2 again."""
    stores, _ = refused_once()
    write_version(stores, "v4", slope=SLOPE, evaluation_from=FIRST_LOOK + HOUR)
    traffic(stores, since=FIRST_LOOK, rows=800, slope=SLOPE, seed=1)
    assert judged(stores, "v4", SECOND_LOOK, "v1-1").version == "v4"


def test_a_second_look_is_the_last_one():
    """x means nothing any more: both are refused, the verdict is about v3 and tells of v2, which isn't asked again."""
    stores, _ = refused_once()
    traffic(stores, since=FIRST_LOOK, rows=400, slope=0.0, seed=1)
    verdict = judged(stores, "v3", SECOND_LOOK, "v1-1")
    assert (verdict.version, verdict.kind) == ("v3", "reject")
    assert "; v2, judged again on 400 rows since: " in verdict.reason
    assert verdict.also_judged.version == "v2"
    assert verify(stores).verdicts == 3
    assert refused_for_want_of_evidence(stores.ledger.decisions(), "v1") is None


def test_after_months_only_the_newest_rows_are_asked(monkeypatch: pytest.MonkeyPatch):
    """However many rows were labelled since, a second look reads no more than its limit."""
    monkeypatch.setattr(second_look, "MOST_ROWS", 500)
    stores, _ = refused_once()
    since = traffic(stores, since=FIRST_LOOK, rows=800, slope=SLOPE, seed=1)
    verdict = judged(stores, "v3", SECOND_LOOK, "v1-1")
    assert list(read_evidence(stores, verdict.evidence).row_ids) == since[300:]


def lose_its_model(stores: Stores) -> None:
    """Somebody changes what v2 answers."""
    stores.registry_bucket.put(f"models/v2/{SERVING}", b"{}")


def have_been_in_production(stores: Stores) -> None:
    """A person promoted v2 all the same, and took it back."""
    force_promotion(stores, "v2", reason="I know better", actor="ann", now=FIRST_LOOK)
    roll_back(stores, None, reason="complaints", actor="ann", now=FIRST_LOOK + HOUR)


def lose_its_manifest(stores: Stores) -> None:
    """Somebody damages what is known of v2."""
    stores.registry_bucket.put("models/v2/manifest.json", b"{}")


@pytest.mark.parametrize("happens", [lose_its_model, lose_its_manifest, have_been_in_production])
def test_no_second_look(happens: Callable[[Stores], None]):
    """What can't be read as it was written, or had its chance in production, isn't promoted, and stops no healing."""
    stores, _ = refused_once()
    happens(stores)
    traffic(stores, since=FIRST_LOOK + 2 * HOUR, rows=800, slope=SLOPE, seed=1)
    verdict = judged(stores, "v3", SECOND_LOOK + 7 * DAY, "v1-1")
    assert (verdict.version, verdict.kind, verdict.also_judged) == ("v3", "reject", None)


def test_a_second_look_waits_for_rows_enough_to_judge_by():
    """With 100 new rows v2 isn't looked at; it stays the candidate, and is promoted once 800 more have come."""
    stores, _ = refused_once()
    traffic(stores, since=FIRST_LOOK, rows=100, slope=SLOPE, seed=1)
    early = judged(stores, "v3", FIRST_LOOK + DAY, "v1-1")
    assert (early.kind, early.also_judged) == ("reject", None)
    traffic(stores, since=FIRST_LOOK + DAY, rows=800, slope=SLOPE, seed=2)
    write_version(stores, "v4", slope=-SLOPE, evaluation_from=FIRST_LOOK + DAY)
    assert judged(stores, "v4", FIRST_LOOK + 3 * DAY, "v1-2").version == "v2"


def test_labels_that_judge_nobody_use_up_no_second_look():
    """300 labels came, but of 200 rows that a broken pipeline made: v2 isn't looked at, and stays the candidate."""
    stores, _ = refused_once()
    traffic(stores, since=FIRST_LOOK, rows=300, slope=SLOPE, seed=1)
    end = FIRST_LOOK + timedelta(minutes=200)
    stores.fault_periods.add(FaultPeriod(start=FIRST_LOOK, end=end, faults=("x came in pence",)))
    assert judged(stores, "v3", FIRST_LOOK + DAY, "v1-1").also_judged is None
    assert refused_for_want_of_evidence(stores.ledger.decisions(), "v1") == "v2"


@pytest.mark.parametrize("modest", [None, "v2-modest"])
def test_what_a_person_refused_after_its_second_look_is_not_proposed_again(modest: str | None):
    """v2 passed on the rows since, and a person said no: the next healing proposes its own model or none."""
    stores, _ = refused_once(modest=modest)
    traffic(stores, since=FIRST_LOOK, rows=800, slope=SLOPE, seed=1)
    healing = healing_of(stores, "v1-1", SECOND_LOOK)
    verdict = evaluate_gates(stores, healing, trained("v3", FIRST_LOOK + HOUR), SECOND_LOOK)
    assert verdict.version == (modest or "v2")
    no = Approval(approved=False, by="ann", reason="not now")
    conclude(stores, healing, verdict.model_copy(update={"kind": "reject", "approval": no}), SECOND_LOOK)
    assert refused_for_want_of_evidence(stores.ledger.decisions(), "v1") is None
    assert verify(stores).verdicts == 3


def test_rows_that_gated_production_do_not_judge_again():
    """v6 replaced v1 and was taken back: what v1 was measured by then says nothing new against it."""
    stores, _ = refused_once()
    bad_for_v1 = traffic(stores, since=FIRST_LOOK, rows=800, slope=SLOPE, seed=1)
    write_version(stores, "v6", slope=SLOPE, evaluation_from=FIRST_LOOK)
    healing = healing_of(stores, "v1-1", FIRST_LOOK + DAY)
    promotion = evaluate_gates(stores, healing, trained("v6", FIRST_LOOK), FIRST_LOOK + DAY)
    back = promotion.evidence
    conclude(stores, healing, promotion, FIRST_LOOK + DAY)
    roll_back(stores, "v1", reason="worse", actor="probation", now=FIRST_LOOK + DAY + HOUR, evidence=back)
    since = traffic(stores, since=FIRST_LOOK + 2 * DAY, rows=800, slope=SLOPE, seed=2)
    verdict = judged(stores, "v3", FIRST_LOOK + 9 * DAY, "v1-2")
    assert verdict.version == "v2"
    judging = set(read_evidence(stores, verdict.evidence).row_ids)
    assert judging == set(since)
    assert not judging & set(bad_for_v1)


def test_the_first_look_does_not_count_in_probation():
    """Labels of the 200 rows that refused v2, uploaded again after its promotion, are no news about it."""
    stores, seen = refused_once()
    traffic(stores, since=FIRST_LOOK, rows=800, slope=SLOPE, seed=1)
    judged(stores, "v3", SECOND_LOOK, "v1-1")
    later = SECOND_LOOK + HOUR
    again = [Label(prediction_id=row, label=0, label_timestamp=later, received_at=later) for row in seen]
    stores.labels.accept(again)
    assert check_probation(stores, FakeNotifications(), SECOND_LOOK + DAY).labels == 0


def test_what_another_gate_refused_stays_refused():
    """v2 was worse by the Brier limit as well: that is no want of evidence."""
    stores, _ = refused_once(v2=-SLOPE)
    assert refused_for_want_of_evidence(stores.ledger.decisions(), "v1") is None


def test_a_refusal_in_favour_of_another_production_model_says_nothing():
    """What lost against v1 was never compared with v3."""
    stores, _ = refused_once()
    assert refused_for_want_of_evidence(stores.ledger.decisions(), "v1") is not None
    assert refused_for_want_of_evidence(stores.ledger.decisions(), "v3") is None


def test_verify_recomputes_the_other_verdict_too():
    """A gate of v3 that is written as passed, against its evidence, is found, though the decision is about v2."""
    stores, _ = refused_once()
    traffic(stores, since=FIRST_LOOK, rows=800, slope=SLOPE, seed=1)
    healing = healing_of(stores, "v1-1", SECOND_LOOK)
    since = stores.models.manifest("v3").evaluation_from
    verdict = evaluate_gates(stores, healing, trained("v3", since), SECOND_LOOK)
    forged = tuple(gate.model_copy(update={"passed": True}) for gate in verdict.also_judged.gates)
    other = verdict.also_judged.model_copy(update={"gates": forged})
    conclude(stores, healing, verdict.model_copy(update={"also_judged": other}), SECOND_LOOK)
    with pytest.raises(VerificationFailed, match="its evidence says failed"):
        verify(stores)
