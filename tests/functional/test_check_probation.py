"""Probation: a promoted version is watched on newly labelled rows, and taken back while it is worse."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from selfheal.errors import PromotionConflict, StoreUnavailable
from selfheal.records.healing import Verdict
from selfheal.records.probation import Probation
from selfheal.stores.bucket import StoredObject
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.heal.evidence import read_evidence
from selfheal.usecases.heal.lifecycle import sweep
from selfheal.usecases.monitor.check_probation import check_probation
from selfheal.usecases.registry.roll_back import roll_back
from tests.support.healing import (
    DAY,
    HOUR,
    START,
    FakeExecutions,
    FakeNotifications,
    healed_environment,
    traffic,
    trained,
    write_version,
)

PROMOTED = START + 10 * DAY


class Interrupted(MemoryBucket):
    """Lets something happen, once, when the previous version's model is read: amid a look at a probation."""

    def __init__(self) -> None:
        super().__init__()
        self.interruptions: list[Callable[[], object]] = []
        self.refuses_swaps = False

    def get(self, key: str) -> StoredObject:
        if key == "models/v1/model.json" and self.interruptions:
            self.interruptions.pop()()
        return super().get(key)

    def replace(self, key: str, body: bytes, etag: str) -> str:
        if self.refuses_swaps:
            raise StoreUnavailable("S3 refused")
        return super().replace(key, body, etag)


def checked(stores: Stores, people: FakeNotifications, now: datetime, *before: Any) -> Probation | None:
    """A look at the probation, by the ledger as it is now; `before` is what the look before found, and when."""
    return check_probation(stores, stores.ledger.story(), people, now, *before)


def promoted(*, evidence: bool = False, stores: Stores | None = None) -> Stores:
    """v2, which believes in slope 2, in production since day 10."""
    stores, healing = healed_environment(stores=stores)
    verdict = Verdict(version="v2", kind="promote", reason="all gates passed", gates=(), evidence=None)
    if evidence:
        traffic(stores, since=PROMOTED - DAY, rows=300)
        verdict = evaluate_gates(stores, healing, trained(), PROMOTED).model_copy(update={"kind": "promote"})
    conclude(stores, healing, verdict, PROMOTED)
    return stores


def test_a_version_that_keeps_its_promise_stays():
    """Truth follows v2: the bet against it loses, nothing happens, the report says where it stands."""
    stores, people = promoted(), FakeNotifications()
    traffic(stores, since=PROMOTED, rows=600)
    found = checked(stores, people, PROMOTED + DAY)
    assert (found.version, found.previous_version, found.labels, found.rolled_back) == ("v2", "v1", 600, False)
    assert found.difference < 0
    assert found.e_value < found.threshold == 20
    assert stores.pointer.read().pointer.version == "v2"
    assert people.sent == []


def test_a_worse_version_is_taken_back_with_evidence_and_a_message():
    """Truth turns against v2: v1 comes back, the ledger keeps the rows, people are told."""
    stores, people = promoted(), FakeNotifications()
    ids = traffic(stores, since=PROMOTED, rows=600, slope=-2.0)
    found = checked(stores, people, PROMOTED + DAY)
    assert found.rolled_back
    assert stores.pointer.read().pointer.version == "v1"
    decision = stores.ledger.decisions()[-1]
    assert (decision.kind, decision.actor, decision.trigger) == ("rollback", "probation", "probation")
    assert list(read_evidence(stores, decision.evidence).row_ids) == ids
    ((subject, body),) = people.sent
    assert subject == "selfheal: rolled back in probation"
    assert body.startswith("v1 is back in production instead of v2")


def test_a_rollback_that_could_not_be_told_is_told_by_the_next_run():
    """SNS is down when v1 comes back: the next run says it, and the one after that doesn't repeat it."""
    stores, people = promoted(), FakeNotifications(down=True)
    traffic(stores, since=PROMOTED, rows=600, slope=-2.0)
    with pytest.raises(StoreUnavailable):
        checked(stores, people, PROMOTED + DAY)
    assert stores.pointer.read().pointer.version == "v1"
    people.down = False
    for hour in (1, 2):
        sweep(stores, FakeExecutions(), PROMOTED + DAY + hour * HOUR, people)
        checked(stores, people, PROMOTED + DAY + hour * HOUR)
    ((_, body),) = people.sent
    assert body.startswith("v1 is back in production instead of v2")


def test_a_rollback_that_was_interrupted_is_finished_by_the_retry():
    """The process dies between decision and swap: the same rollback is carried out a minute later, not a second one."""
    registry = Interrupted()
    stores, people = promoted(stores=Stores(MemoryBucket(), registry)), FakeNotifications()
    traffic(stores, since=PROMOTED, rows=600, slope=-2.0)
    registry.refuses_swaps = True
    with pytest.raises(StoreUnavailable, match="the next monitoring run carries it out or ends it"):
        checked(stores, people, PROMOTED + DAY)
    registry.refuses_swaps = False
    assert checked(stores, people, PROMOTED + DAY + timedelta(minutes=1)).rolled_back
    assert [decision.kind for decision in stores.ledger.decisions()] == ["bootstrap", "promote", "rollback"]
    assert len(people.sent) == 1


def test_after_a_rollback_there_is_no_probation():
    """The version that came back isn't on probation: nothing swings to and fro."""
    stores, people = promoted(), FakeNotifications()
    traffic(stores, since=PROMOTED, rows=600, slope=-2.0)
    checked(stores, people, PROMOTED + DAY)
    assert checked(stores, people, PROMOTED + DAY + HOUR) is None


def test_probation_ends():
    """Labels enough had come when it was looked at before: after seven days nobody looks any more."""
    stores, people = promoted(), FakeNotifications()
    traffic(stores, since=PROMOTED, rows=600)
    before = checked(stores, people, PROMOTED + 6 * DAY)
    assert checked(stores, people, PROMOTED + 7 * DAY, before, PROMOTED + 6 * DAY) is None
    assert checked(stores, people, PROMOTED + 8 * DAY, None, PROMOTED + 7 * DAY) is None


def test_a_probation_that_nobody_has_looked_at_is_looked_at_late():
    """Monitoring runs once a month: the first run after the promotion judges it, though its seven days are over."""
    stores = promoted()
    traffic(stores, since=PROMOTED, rows=600, slope=-2.0)
    found = checked(stores, FakeNotifications(), PROMOTED + 30 * DAY, None, PROMOTED)
    assert found.rolled_back


def test_a_probation_waits_for_labels_that_come_late():
    """Truth takes ten days: the probation goes on beyond its seven until enough has come, then takes it back."""
    stores, people = promoted(), FakeNotifications()
    waiting = checked(stores, people, PROMOTED + 6 * DAY)
    waiting = checked(stores, people, PROMOTED + 9 * DAY, waiting)
    traffic(stores, since=PROMOTED, rows=600, slope=-2.0, label_delay=10 * DAY)
    assert (waiting.labels, waiting.rolled_back) == (0, False)
    assert checked(stores, people, PROMOTED + 12 * DAY, waiting).rolled_back


def test_a_probation_without_labels_ends_after_ninety_days():
    """What never comes isn't waited for."""
    stores, people = promoted(), FakeNotifications()
    waiting = checked(stores, people, PROMOTED + 6 * DAY)
    assert checked(stores, people, PROMOTED + 89 * DAY, waiting) is not None
    assert checked(stores, people, PROMOTED + 90 * DAY, waiting) is None


@pytest.mark.parametrize("name", ["model.json", "manifest.json"])
def test_a_damaged_version_before_leaves_the_new_one_unjudged_until_it_is_mended(name: str):
    """v1 can't be read: that is said, nothing moves, and the probation waits for v1 beyond its own days."""
    stores, people = promoted(), FakeNotifications()
    traffic(stores, since=PROMOTED, rows=600, slope=-2.0)
    whole = stores.registry_bucket.get(f"models/v1/{name}").body
    stores.registry_bucket.put(f"models/v1/{name}", b"{}")
    found = checked(stores, people, PROMOTED + DAY)
    assert (found.is_judged, found.rolled_back, found.labels) == (False, False, 0)
    assert "the probation of v2 can't be judged, since v1 or" in found.sentence
    assert people.sent == []
    stores.registry_bucket.put(f"models/v1/{name}", whole)
    assert checked(stores, people, PROMOTED + 8 * DAY, found, PROMOTED + DAY).rolled_back


def test_a_store_that_does_not_answer_ends_the_look():
    """That says nothing of v1: the run fails and is tried again."""

    def fail() -> None:
        raise StoreUnavailable("try again")

    registry = Interrupted()
    stores = promoted(stores=Stores(MemoryBucket(), registry))
    traffic(stores, since=PROMOTED, rows=10)
    registry.interruptions = [fail]
    with pytest.raises(StoreUnavailable):
        checked(stores, FakeNotifications(), PROMOTED + DAY)


def test_the_first_version_is_not_on_probation():
    """There is nothing to go back to."""
    stores, _ = healed_environment()
    assert checked(stores, FakeNotifications(), START + HOUR) is None


def test_rows_that_gated_the_version_do_not_judge_it_again():
    """Of the evaluation rows none counts; of those labelled after the promotion each counts once."""
    stores = promoted(evidence=True)
    assert checked(stores, FakeNotifications(), PROMOTED + HOUR).labels == 0
    traffic(stores, since=PROMOTED - DAY, rows=50, seed=3, label_delay=DAY + 2 * HOUR)
    assert checked(stores, FakeNotifications(), PROMOTED + 4 * HOUR).labels == 50


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_labels_decide_nothing(rows: int):
    """Without rows the bet stands where it began."""
    stores = promoted()
    traffic(stores, since=PROMOTED, rows=rows, slope=-2.0)
    assert check_probation(
        stores, stores.ledger.story(), FakeNotifications(), PROMOTED + HOUR
    ).e_value == pytest.approx(1, abs=0.5)


def test_a_rollback_by_hand_during_probation_is_left_alone():
    """Somebody was quicker: the probation is over."""
    stores = promoted()
    roll_back(stores, None, reason="complaints", actor="ann", now=PROMOTED + timedelta(minutes=1))
    assert checked(stores, FakeNotifications(), PROMOTED + HOUR) is None


def test_a_version_that_came_while_another_was_judged_is_left_alone():
    """v2 is found worse, but v3 has replaced it meanwhile: v3 stays, and the ledger says that nothing was done."""
    registry = Interrupted()
    stores = promoted(stores=Stores(MemoryBucket(), registry))
    write_version(stores, "v3", slope=-2.0)
    traffic(stores, since=PROMOTED, rows=600, slope=-2.0)
    registry.interruptions = [lambda: roll_back(stores, "v3", reason="a hunch", actor="ann", now=PROMOTED + DAY)]
    with pytest.raises(PromotionConflict):
        checked(stores, FakeNotifications(), PROMOTED + DAY)
    assert stores.pointer.read().pointer.version == "v3"
    assert [entry.outcome.kind for entry in stores.ledger.entries() if entry.outcome][-1] == "conflict"


def test_what_the_version_before_answered_does_not_end_a_probation():
    """Six hundred labels of the days before the promotion judge it, but none is of an answer of its own."""
    stores, people = promoted(evidence=True), FakeNotifications()
    traffic(stores, since=PROMOTED - DAY, rows=600, seed=3, label_delay=2 * DAY)
    before = checked(stores, people, PROMOTED + 6 * DAY)
    assert (before.labels, before.own_labels) == (600, 0)
    assert checked(stores, people, PROMOTED + 8 * DAY, before, PROMOTED + 6 * DAY) is not None


def test_a_bad_stretch_that_was_made_up_for_is_no_reason_to_go_back():
    """The first rows turn against v2 and win the bet, the many that follow speak for it: it stays."""
    stores = promoted()
    traffic(stores, since=PROMOTED, rows=200, slope=-2.0)
    traffic(stores, since=PROMOTED + DAY, rows=1000, seed=1)
    found = checked(stores, FakeNotifications(), PROMOTED + 3 * DAY)
    assert found.e_value > found.threshold
    assert (found.difference < 0, found.rolled_back) == (True, False)
