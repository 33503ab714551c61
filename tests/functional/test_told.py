"""People are told what happened, also where a later run finished it: before it is written down, and once."""

import pytest

from selfheal.errors import PromotionConflict, StoreUnavailable
from selfheal.healing.sentences import sentence_of
from selfheal.records.healing import Ending, Verdict
from selfheal.records.ledger import Decision, Outcome
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.lifecycle import sweep, tell_of_failed
from selfheal.usecases.registry.moves import move_production
from selfheal.usecases.registry.pause import pause
from selfheal.usecases.registry.promote import force_promotion
from tests.support.healing import DAY, HOUR, START, FakeExecutions, FakeNotifications, healed_environment

NOW = START + 10 * DAY
PROMOTE = Verdict(version="v2", kind="promote", reason="all gates passed", gates=(), evidence=None)


class Refusing(MemoryBucket):
    """Takes everything but swaps of the pointer while it is told so."""

    refuses = False

    def replace(self, key: str, body: bytes, etag: str) -> str:
        if self.refuses:
            raise StoreUnavailable(f"S3 refused {key}: SlowDown")
        return super().replace(key, body, etag)


@pytest.fixture
def interrupted():
    """A promotion of v2 whose swap was refused; S3 is whole again."""
    registry = Refusing()
    stores, healing = healed_environment(stores=Stores(MemoryBucket(), registry))
    registry.refuses = True
    with pytest.raises(StoreUnavailable):
        conclude(stores, healing, PROMOTE, NOW)
    registry.refuses = False
    return stores


def swept(stores: Stores, people: FakeNotifications, hours: int) -> list[str]:
    """What people hear of a sweep so many hours later."""
    people.sent.clear()
    sweep(stores, FakeExecutions(statuses={"v1-0": "FAILED"}), NOW + hours * HOUR, people)
    return [body for _, body in people.sent]


def test_a_promotion_that_a_later_run_finished_is_told(interrupted: Stores):
    """Production moves an hour after the healing failed: people hear it, once."""
    people = FakeNotifications()
    assert swept(interrupted, people, 1) == ["v2 replaced v1 in production: all gates passed"]
    assert interrupted.pointer.read().pointer.version == "v2"
    assert swept(interrupted, people, 2) == []


def test_a_promotion_that_a_later_run_ended_is_told(interrupted: Stores):
    """A pause came before the swap: people hear that v2 did not replace v1, by whose command, and what was decided."""
    pause(interrupted, reason="an incident", actor="ann", now=NOW)
    (said,) = swept(interrupted, FakeNotifications(), 1)
    assert said.startswith("v2 did NOT replace v1 in production: not carried out: automatic promotion was paused at")
    assert "by ann: an incident (it was decided because: all gates passed)" in said


def test_what_cannot_be_told_is_not_written_down(interrupted: Stores):
    """SNS is down: production has moved, the ledger has no outcome yet, and the next run tells and writes it."""
    people = FakeNotifications(down=True)
    with pytest.raises(StoreUnavailable):
        swept(interrupted, people, 1)
    assert [move.decision_id for move in interrupted.ledger.story().open_moves] == ["v1-0"]
    people.down = False
    assert len(swept(interrupted, people, 2)) == 1
    assert list(interrupted.ledger.entries())[-1].outcome.kind == "done"


def test_a_forced_promotion_that_a_later_run_finished_is_told():
    """The person saw an error which says what will come; an hour later all hear that v2 answers."""
    registry = Refusing()
    stores, _ = healed_environment(stores=Stores(MemoryBucket(), registry))
    registry.refuses = True
    with pytest.raises(StoreUnavailable, match="the next monitoring run carries it out or ends it, and tells"):
        force_promotion(stores, "v2", reason="I know better", actor="ann", now=NOW)
    registry.refuses = False
    assert swept(stores, FakeNotifications(), 1)[0] == (
        "v2 replaced v1 in production: forced, without gates: I know better"
    )


def test_a_forced_promotion_is_told_as_it_is_made():
    """Whoever commands it hands in how others hear of it."""
    stores, _ = healed_environment()
    said: list[str] = []
    force_promotion(stores, "v2", reason="I know better", actor="ann", now=NOW, tell=said.append)
    assert said == ["v2 replaced v1 in production: forced, without gates: I know better"]


def test_a_move_that_was_lost_is_told_as_lost():
    """A second person was quicker: the first one's promotion did not happen, and that is what is said."""
    stores, healing = healed_environment()
    said: list[str] = []
    late = healing.model_copy(update={"production_decision": "another"})
    assert not conclude(stores, late, PROMOTE, NOW).applied
    production = stores.pointer.read()
    force_promotion(stores, "v2", reason="first", actor="ann", now=NOW)
    stale = Decision(
        decision_id="forced-late",
        kind="promote",
        decided_at=NOW,
        version="v1",
        previous_version="v1",
        replaces=production.pointer.decision_id,
        reason="second",
        trigger="forced",
        actor="bob",
    )
    with pytest.raises(PromotionConflict, match="v1 was not promoted: production is v2"):
        move_production(stores, stale, NOW, tell=said.append)
    assert said[0].startswith("v1 did NOT replace v1 in production: v1 was not promoted: production is v2 by decision")


# Healings that failed after they had decided


def failed_after_deciding(kind: str = "reject") -> tuple[Stores, FakeExecutions]:
    """v1-0 has its decision, and its execution failed before anybody was told."""
    stores, healing = healed_environment()
    conclude(stores, healing, Ending(kind=kind, reason="because", version="v2"), NOW)
    return stores, FakeExecutions(statuses={"v1-0": "FAILED"})


def test_a_decision_whose_healing_failed_afterwards_is_told_once():
    """The last step crashed: the next run tells what was decided, the one after that doesn't."""
    stores, executions = failed_after_deciding()
    people = FakeNotifications()
    told = tell_of_failed(stores.ledger.story(), executions.recent(), people, NOW, ())
    assert [body for _, body in people.sent] == ["v2 was rejected and doesn't replace v1: because"]
    assert tell_of_failed(stores.ledger.story(), executions.recent(), people, NOW, told) == told == ("v1-0",)
    assert len(people.sent) == 1


def test_where_nobody_kept_account_old_failures_are_not_told_again():
    """The summary of a release before this one doesn't say what was told."""
    stores, executions = failed_after_deciding()
    people = FakeNotifications()
    assert tell_of_failed(stores.ledger.story(), executions.recent(), people, NOW, None) == ("v1-0",)
    assert people.sent == []


def test_a_healing_that_was_swept_is_told_by_the_sweep_alone(interrupted: Stores):
    """A promotion that is still open is told by the run that settles it, not by its failed execution as well."""
    people, executions = FakeNotifications(), FakeExecutions(statuses={"v1-0": "FAILED", "v1-1": "ABORTED"})
    told: tuple[str, ...] = ()
    for minutes in (0.1, 1, 2):
        told = tell_of_failed(interrupted.ledger.story(), executions.recent(), people, NOW + minutes * HOUR, told)
        sweep(interrupted, executions, NOW + minutes * HOUR, people)
    assert sorted(body for _, body in people.sent) == [
        "the healing of v1 failed: the healing ended as ABORTED without a decision",
        "v2 replaced v1 in production: all gates passed",
    ]


def test_succeeded_and_running_healings_have_told_themselves():
    """Nothing to add."""
    stores, _ = failed_after_deciding()
    people = FakeNotifications()
    assert (
        tell_of_failed(stores.ledger.story(), FakeExecutions(statuses={"v1-0": "SUCCEEDED"}).recent(), people, NOW, ())
        == ()
    )
    assert people.sent == []


def test_every_kind_of_move_has_a_sentence_for_not_happening():
    """What was not carried out is never told as done."""
    for kind in ("bootstrap", "promote", "rollback"):
        decision = Decision(
            decision_id="d",
            kind=kind,
            decided_at=NOW,
            version="v2",
            previous_version="v1",
            reason="why",
            trigger="t",
            actor="a",
        )
        lost = Outcome(decision_id="d", kind="conflict", recorded_at=NOW, reason="somebody was quicker")
        assert " did NOT " in sentence_of(decision, lost)
        assert " did NOT " not in sentence_of(decision)
