"""The kill switch: one entry in the ledger stops automatic promotion, and nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from selfheal.errors import HealingRefused, LedgerBroken, StoreUnavailable
from selfheal.records.healing import Verdict
from selfheal.records.ledger import GENESIS_HASH, Decision, LedgerEntry, entry_hash
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.heal.await_labels import await_labels
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.heal.lifecycle import start_healing, sweep
from selfheal.usecases.registry.moves import move_production
from selfheal.usecases.registry.pause import pause, resume
from selfheal.usecases.registry.promote import force_promotion
from selfheal.usecases.registry.roll_back import roll_back
from selfheal.usecases.registry.verify import verify
from tests.support.healing import (
    DAY,
    DRIFT,
    HOUR,
    START,
    FakeExecutions,
    healed_environment,
    memory_stores,
    traffic,
    trained,
)

NOW = START + 10 * DAY
PROMOTE = Verdict(version="v2", kind="promote", reason="all gates passed", gates=(), evidence=None)
BY_ANN: dict[str, Any] = {"reason": "an incident", "actor": "ann", "now": NOW}


def paused_environment():
    stores, healing = healed_environment()
    pause(stores, **BY_ANN)
    return stores, healing


def production_of(stores: Stores) -> str:
    return stores.pointer.read().pointer.version


def test_a_healing_that_would_promote_is_rejected_and_says_who_paused_it():
    """Its decision is a rejection with the pause's reason and what the gates had said; production stays."""
    stores, healing = paused_environment()
    conclusion = conclude(stores, healing, PROMOTE, NOW)
    assert (conclusion.decision.kind, production_of(stores)) == ("reject", "v1")
    assert "paused since 2026-03-11 00:00 UTC by ann: an incident" in conclusion.sentence
    assert "all gates passed" in conclusion.sentence


def test_no_healing_starts_while_it_is_paused():
    """Neither the monitoring nor a person starts one; after `resume` both may."""
    stores, _ = paused_environment()
    executions = FakeExecutions()
    with pytest.raises(HealingRefused, match=r"paused since .* by ann: an incident"):
        start_healing(stores, executions, stores.ledger.story(), DRIFT, NOW)
    resume(stores, reason="mended", actor="ann", now=NOW + HOUR)
    start_healing(stores, executions, stores.ledger.story(), DRIFT, NOW + HOUR)
    assert len(executions.started) == 1


def test_people_may_still_promote_and_roll_back():
    """The switch stops the machine; what a person commands goes on, recorded as always."""
    stores, _ = paused_environment()
    force_promotion(stores, "v2", reason="I looked", actor="ann", now=NOW)
    assert production_of(stores) == "v2"
    roll_back(stores, None, reason="no", actor="ann", now=NOW)
    assert production_of(stores) == "v1"


def test_after_resuming_promotions_go_on():
    """The newest switch counts."""
    stores, healing = paused_environment()
    resume(stores, reason="mended", actor="ann", now=NOW)
    assert conclude(stores, healing, PROMOTE, NOW).applied
    assert production_of(stores) == "v2"


def test_pausing_and_resuming_twice_is_once():
    """A second pause leaves the first one's name and reason; there is nothing to resume twice."""
    stores, _ = paused_environment()
    assert pause(stores, reason="me too", actor="bob", now=NOW + HOUR).actor == "ann"
    assert resume(stores, reason="mended", actor="bob", now=NOW + HOUR) is not None
    assert resume(stores, reason="mended", actor="bob", now=NOW + HOUR) is None
    assert [entry.switch.paused for entry in stores.ledger.entries() if entry.switch] == [True, False]


class InterruptedBucket(MemoryBucket):
    """Runs something of somebody else's right after the decision has been written."""

    then: Callable[[], object] | None = None

    def create(self, key: str, body: bytes) -> str:
        etag = super().create(key, body)
        if b'"kind": "promote"' in body and self.then:
            then, self.then = self.then, None
            then()
        return etag


@pytest.fixture
def interrupted():
    registry = InterruptedBucket()
    stores, healing = healed_environment(stores=Stores(MemoryBucket(), registry))
    return stores, healing, registry


def test_a_pause_between_decision_and_swap_still_stops_it(interrupted):
    """The promotion stands in the ledger as not carried out, and the healing as failed because of the pause."""
    stores, healing, registry = interrupted
    registry.then = lambda: pause(stores, **BY_ANN)
    conclusion = conclude(stores, healing, PROMOTE, NOW)
    assert not conclusion.applied
    assert "not carried out: automatic promotion was paused at 2026-03-11 00:00 UTC by ann" in conclusion.sentence
    assert production_of(stores) == "v1"


class OvertakenBucket(MemoryBucket):
    """Runs something of somebody else's right before a decision is written."""

    first: Callable[[], object] | None = None

    def create(self, key: str, body: bytes) -> str:
        if b'"decision": {' in body and self.first:
            first, self.first = self.first, None
            first()
        return super().create(key, body)


@pytest.mark.parametrize(("switched", "expected"), [(resume, ("promote", "v2")), (pause, ("reject", "v1"))])
def test_a_switch_that_comes_just_before_the_decision_counts(
    switched: Callable[..., object], expected: tuple[str, str]
):
    """Paused or resumed between reading the ledger and writing to it: the decision is made anew, and verifies."""
    registry = OvertakenBucket()
    stores, healing = healed_environment(stores=Stores(MemoryBucket(), registry))
    traffic(stores, since=START + 9 * DAY, rows=800)
    verdict = evaluate_gates(stores, healing, trained(), NOW)
    if switched is resume:
        pause(stores, **BY_ANN)
    registry.first = lambda: switched(stores, **BY_ANN)
    conclusion = conclude(stores, healing, verdict, NOW)
    kind, version = expected
    assert conclusion.decision.kind == kind
    assert (production_of(stores) == "v1") is (version == "v1")
    assert verify(stores).verdicts == 1


def test_an_interrupted_promotion_is_not_finished_under_a_pause(interrupted):
    """The next monitoring run settles it as not carried out, where it would have made up for the swap."""
    stores, healing, registry = interrupted
    registry.then = died
    with pytest.raises(StoreUnavailable):
        conclude(stores, healing, PROMOTE, NOW)
    pause(stores, **BY_ANN)
    sweep(stores, FakeExecutions(), NOW + HOUR)
    assert production_of(stores) == "v1"
    assert [entry.outcome.kind for entry in stores.ledger.entries() if entry.outcome] == ["done", "conflict"]


def died() -> None:
    raise StoreUnavailable("the process died")


def test_a_promotion_whose_swap_came_before_the_pause_is_recorded_as_done():
    """A retry after the swap finds its own decision in production: the ledger must not say otherwise."""
    stores, healing = healed_environment()
    conclude(stores, healing, PROMOTE, NOW)
    forget_last(stores)
    pause(stores, **BY_ANN)
    decision: Decision = next(d for d in stores.ledger.decisions() if d.kind == "promote")
    assert move_production(stores, decision, NOW) == decision
    assert production_of(stores) == "v2"


def forget_last(stores: Stores) -> None:
    """As if the process had died before it wrote its last entry."""
    for prefix in ("ledger/", "ledger-seals/"):
        keys = stores.registry_bucket._keys
        key = keys.pop(keys.index(max(stores.registry_bucket.keys(prefix))))
        del stores.registry_bucket._objects[key]
    stores.ledger._seen = ()


@pytest.mark.parametrize(
    ("unreadable", "error"), [(b"{}", Exception), (None, StoreUnavailable)], ids=["a broken entry", "no answer"]
)
def test_a_switch_that_cannot_be_read_stops_the_promotion(monkeypatch, unreadable, error):
    """It fails closed: whether the registry doesn't answer or the entry is damaged, nothing is promoted or started."""
    stores, healing = paused_environment()
    if unreadable is not None:
        stores.registry_bucket.put(max(stores.registry_bucket.keys("ledger/")), unreadable)
    else:
        monkeypatch.setattr(stores.registry_bucket, "keys", lambda *_: died())
    stores.ledger._seen = ()
    with pytest.raises(error):
        conclude(stores, healing, PROMOTE, NOW)
    with pytest.raises(error):
        start_healing(stores, FakeExecutions(), stores.ledger.story(), DRIFT, NOW)
    assert production_of(stores) == "v1"


def test_a_pause_that_is_taken_out_of_the_ledger_is_noticed():
    """The chain has a gap: the next decision is refused."""
    stores, healing = paused_environment()
    paused_at = max(stores.registry_bucket.keys("ledger/"))
    resume(stores, reason="mended", actor="ann", now=NOW)
    del stores.registry_bucket._objects[paused_at]
    stores.ledger._seen = ()
    with pytest.raises(LedgerBroken, match="one is missing"):
        conclude(stores, healing, PROMOTE, NOW)


def test_a_rejection_under_a_pause_is_verified_against_its_gates():
    """`selfheal verify` knows the pause: all gates passed, and the rejection is right all the same."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 8 * DAY, rows=3_000)
    assert await_labels(stores, healing, trained(), NOW + 2 * DAY).ready
    verdict = evaluate_gates(stores, healing, trained(), NOW + 2 * DAY)
    assert verdict.kind == "promote"
    pause(stores, **BY_ANN)
    assert conclude(stores, healing, verdict, NOW + 2 * DAY).decision.kind == "reject"
    assert verify(stores).verdicts == 1


def test_entries_written_before_there_was_a_switch_still_hold():
    """An entry whose stored JSON lacks the field has a hash over what it has, and a pause may follow it."""
    stores = memory_stores()
    decision = Decision(
        decision_id="d",
        kind="skip",
        decided_at=START,
        version=None,
        previous_version="v1",
        reason="",
        trigger="manual",
        actor="test",
    )
    entry = LedgerEntry(sequence=1, previous_hash=GENESIS_HASH, decision=decision).model_dump(mode="json")
    del entry["switch"]
    stores.registry_bucket.put("ledger/000000000001.json", json.dumps(entry | {"hash": entry_hash(entry)}).encode())
    pause(stores, **BY_ANN)
    assert stores.ledger.story().pause is not None
