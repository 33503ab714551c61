"""Healings from start to decision, on buckets in memory."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import numpy as np
import pytest

from selfheal.contract.model import Policy, RetrainingPolicy
from selfheal.errors import (
    AlreadyInProduction,
    EvaluationUnfair,
    HealingRefused,
    PromotionConflict,
    RollbackImpossible,
    StoreUnavailable,
    VersionUnknown,
)
from selfheal.healing.evaluation_rows import evaluation_rows_of
from selfheal.labels.known import KnownLabel, known_labels
from selfheal.records.healing import Ending, Healing, Training, Verdict
from selfheal.records.labels import Label
from selfheal.records.ledger import Decision, Outcome
from selfheal.records.predictions import new_request_id, prediction_id
from selfheal.records.story import Story
from selfheal.stores.collection import Stores
from selfheal.stores.ledger import Ledger
from selfheal.stores.memory import MemoryBucket
from selfheal.tables.dataset import Dataset
from selfheal.tables.sample import id_hashes
from selfheal.usecases.heal.await_labels import await_labels, progress
from selfheal.usecases.heal.conclude import conclude, promote_first
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.heal.evidence import read_evidence
from selfheal.usecases.heal.lifecycle import start_healing, sweep
from selfheal.usecases.labels.labelled_rows import labelled_window
from selfheal.usecases.registry.promote import force_promotion
from selfheal.usecases.registry.roll_back import roll_back
from tests.support.healing import (
    CONTRACT,
    DAY,
    DRIFT,
    HOUR,
    START,
    FakeExecutions,
    healed_environment,
    healing_of,
    memory_stores,
    traffic,
    trained,
    write_version,
)

PROMOTE = Verdict(version="v2", kind="promote", reason="all gates passed", gates=(), evidence=None)
LATER = START + 10 * DAY


def entries_of(stores: Stores) -> list[str]:
    return [(entry.decision or entry.outcome).kind for entry in stores.ledger.entries()]


def labelled_until(stores: Stores, end: datetime) -> Dataset:
    return labelled_window(stores, CONTRACT, START + 8 * DAY, end).labelled


def production_of(stores: Stores) -> str:
    return stores.pointer.read().pointer.version


# Starting


def test_a_healing_is_named_after_version_and_attempt():
    """The first attempt on v1 is v1-0; its input names the decision that production must still rest on."""
    stores, _ = healed_environment()
    executions = FakeExecutions()
    healing = start_healing(stores, executions, stores.ledger.story(), DRIFT, LATER)
    assert healing.execution == "v1-0"
    assert healing.production_decision == "bootstrap-v1"
    assert executions.started == [healing]


def test_a_second_healing_at_once_is_refused_by_name():
    """Two starts at once: one runs, the other is told that v1-0 is under way."""
    stores, _ = healed_environment()
    executions = FakeExecutions()
    start_healing(stores, executions, stores.ledger.story(), DRIFT, LATER)
    with pytest.raises(HealingRefused, match="v1-0"):
        start_healing(stores, executions, stores.ledger.story(), DRIFT, LATER)


def test_a_healing_that_ended_makes_room_for_the_next_attempt():
    """After a decision about v1-0 the next attempt is v1-1."""
    stores, healing = healed_environment()
    conclude(stores, healing, Ending(kind="skip", reason="too few labels"), LATER)
    assert start_healing(stores, FakeExecutions(), stores.ledger.story(), DRIFT, LATER).execution == "v1-1"


def test_versions_whose_names_hold_dashes_are_counted_apart():
    """Attempts on v1 don't count for v1-x."""
    stores, healing = healed_environment()
    conclude(stores, healing, Ending(kind="skip", reason="too few labels"), LATER)
    other = memory_stores()
    promote_first(other, write_version(other, "v1-x", slope=1.0), now=START, actor="test")
    assert start_healing(other, FakeExecutions(), other.ledger.story(), DRIFT, LATER).execution == "v1-x-0"


def test_the_next_automatic_start_waits_after_any_decision_and_for_the_cooldown():
    """24 hours after a rejection, seven days after a promotion; nothing else holds a start back."""
    stores, healing = healed_environment()
    policy = CONTRACT.policy
    assert Story().next_start_allowed(policy) is None
    assert stores.ledger.story().next_start_allowed(policy) == START + DAY
    conclude(stores, healing, Ending(kind="skip", reason="too few labels"), LATER)
    assert stores.ledger.story().next_start_allowed(policy) == LATER + DAY
    conclude(stores, healing.model_copy(update={"execution": "v1-1"}), PROMOTE, LATER + DAY)
    assert stores.ledger.story().next_start_allowed(policy) == LATER + 8 * DAY


def test_a_promotion_that_lost_its_swap_starts_no_cooldown():
    """Production wasn't changed, so nothing has to settle."""
    stores, healing = healed_environment()
    lost = healing.model_copy(update={"production_decision": "another"})
    conclude(stores, lost, PROMOTE, LATER)
    assert stores.ledger.story().last_move is None


# Waiting for labels


def test_labels_are_enough():
    """1,000 labelled rows, all but the youngest covered: ready."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=1000)
    progress = await_labels(stores, healing, trained(), LATER)
    assert progress.ready
    assert (progress.labelled, progress.predictions, progress.coverage) == (1000, 1000, 1.0)


def test_too_low_a_coverage_waits_and_says_for_how_long():
    """20 % of labels: not ready, looked for again in 15 minutes, until 48 hours after the start."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=1400, labelled_share=0.2)
    progress = await_labels(stores, healing, trained(), LATER)
    assert not progress.ready
    assert progress.coverage == pytest.approx(0.2, abs=0.03)
    assert progress.wait_seconds == 900
    assert progress.deadline == LATER + 2 * DAY


def test_a_long_wait_looks_two_hundred_times():
    """A wait of 100 hours looks every half hour, and at its end exactly."""
    policy = Policy(retraining=RetrainingPolicy(label_wait_hours=100))
    stores, healing = healed_environment(CONTRACT.with_policy(policy))
    late = trained(evaluation_from=LATER + 90 * HOUR)
    assert await_labels(stores, healing, trained(), LATER).wait_seconds == 1800
    assert await_labels(stores, healing, late, LATER + 99.75 * HOUR).wait_seconds == 900
    over = await_labels(stores, healing, late, LATER + 100 * HOUR)
    assert over.ready
    assert "the wait is over" in over.reason


# Judging


def test_a_verdict_can_be_read_back_from_its_evidence():
    """Evidence holds every labelled row from the evaluation start on, with both models' answers."""
    stores, healing = healed_environment()
    ids = traffic(stores, since=START + 8.5 * DAY, rows=1000)
    verdict = evaluate_gates(stores, healing, trained(), LATER)
    assert verdict.kind == "promote"
    rows = read_evidence(stores, verdict.evidence)
    assert list(rows.row_ids) == ids[720:]
    assert rows.production_probability == pytest.approx(0.5)
    assert verdict.evidence.circumstances.coverage == 1.0


def test_rows_that_trained_a_model_may_not_judge_it():
    """An evaluation start before the end of the training data is refused."""
    stores, healing = healed_environment()
    with pytest.raises(EvaluationUnfair, match="v1"):
        evaluate_gates(stores, healing, trained(evaluation_from=START - 2 * HOUR), LATER)


def test_an_evaluation_done_twice_keeps_both_evidences():
    """A retry that sees more labels writes evidence of its own, and fails on nothing."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=300)
    first = evaluate_gates(stores, healing, trained(), START + 9.1 * DAY)
    again = evaluate_gates(stores, healing, trained(), LATER)
    assert first.evidence.rows < again.evidence.rows == 300
    assert first.evidence.key != again.evidence.key


def test_rows_are_weighted_where_labels_are_choosy():
    """Low x is labelled a fifth as often: its rows weigh more, and the verdict says so; otherwise all weigh 1."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=1400, choosy=True)
    verdict = evaluate_gates(stores, healing, trained(), LATER)
    weights = read_evidence(stores, verdict.evidence).weights
    assert "rows weighted, as labels depend on x" in verdict.reason
    assert weights.max() > 1.5 * weights.min()
    fair, healing = healed_environment()
    traffic(fair, since=START + 9 * DAY, rows=1400, labelled_share=0.7)
    verdict = evaluate_gates(fair, healing, trained(), LATER)
    assert set(read_evidence(fair, verdict.evidence).weights) == {1.0}


def test_a_new_attempt_needs_rows_that_judged_no_earlier_one():
    """After a rejection on all rows nothing is left to judge with, until new labels come."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 8 * DAY, rows=800)
    production = stores.models.manifest("v1")
    assert evaluation_rows_of(stores.ledger.story(), production, None, labelled_until(stores, LATER))
    training = trained(evaluation_from=START + 8 * DAY)
    verdict = evaluate_gates(stores, healing, training, LATER).model_copy(update={"kind": "reject"})
    conclude(stores, healing, verdict, LATER)
    assert evaluation_rows_of(stores.ledger.story(), production, None, labelled_until(stores, LATER)) is None
    traffic(stores, since=LATER, rows=300, seed=1)
    assert (
        evaluation_rows_of(stores.ledger.story(), production, None, labelled_until(stores, LATER + DAY)).held_out_from
        >= LATER
    )


# Concluding


def test_a_promotion_moves_the_pointer_between_its_two_entries():
    """Decision, swap, outcome: the pointer names the decision, the ledger has both, people get a sentence."""
    stores, healing = healed_environment()
    conclusion = conclude(stores, healing, PROMOTE, LATER)
    assert entries_of(stores) == ["bootstrap", "done", "promote", "done"]
    pointer = stores.pointer.read().pointer
    assert (pointer.version, pointer.previous_version, pointer.decision_id) == ("v2", "v1", "v1-0")
    assert conclusion.applied
    assert conclusion.sentence == "v2 replaced v1 in production: all gates passed"


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("skip", "the healing of v1 was skipped: because"),
        ("failed", "the healing of v1 failed: because"),
        ("reject", "v2 was rejected and doesn't replace v1: because"),
    ],
)
def test_any_other_ending_leaves_production_alone(kind: str, sentence: str):
    """One entry in the ledger, and v1 answers on."""
    stores, healing = healed_environment()
    conclusion = conclude(stores, healing, Ending(kind=kind, reason="because", version="v2"), LATER)
    assert entries_of(stores) == ["bootstrap", "done", kind]
    assert production_of(stores) == "v1"
    assert conclusion.sentence == sentence


def test_concluding_again_changes_nothing():
    """A repeated call returns the decision as the ledger has it, whatever it is given."""
    stores, healing = healed_environment()
    first = conclude(stores, healing, PROMOTE, LATER)
    again = conclude(stores, healing, Ending(kind="failed", reason="timed out"), LATER + HOUR)
    assert again.decision == first.decision
    assert entries_of(stores) == ["bootstrap", "done", "promote", "done"]


def test_a_lost_swap_is_a_conflict_and_a_failed_healing():
    """Production moved on since the healing began: nothing is changed, the ledger says what happened."""
    stores, healing = healed_environment()
    write_version(stores, "v3", slope=1.0)
    conclude(stores, healing, PROMOTE.model_copy(update={"version": "v3"}), LATER)
    late = healing.model_copy(update={"execution": "v1-late"})
    conclusion = conclude(stores, late, PROMOTE, LATER)
    assert production_of(stores) == "v3"
    assert not conclusion.applied
    assert conclusion.decision.kind == "failed"
    assert "v2 was not promoted" in conclusion.sentence
    assert entries_of(stores)[-3:] == ["promote", "conflict", "failed"]
    assert conclude(stores, late, PROMOTE, LATER).decision == conclusion.decision


def test_fifty_promotions_at_once_have_one_winner():
    """Fifty threads promote fifty versions from one pointer: one wins, 49 are named conflicts, the ledger is whole."""
    stores, healing = healed_environment()
    for position in range(50):
        write_version(stores, f"w{position}", slope=1.0)
    barrier = threading.Barrier(50)

    def promote(position: int) -> bool:
        mine = healing.model_copy(update={"execution": f"v1-{position}"})
        barrier.wait()
        return conclude(stores, mine, PROMOTE.model_copy(update={"version": f"w{position}"}), LATER).applied

    with ThreadPoolExecutor(50) as pool:
        applied = list(pool.map(promote, range(50)))
    assert applied.count(True) == 1
    assert production_of(stores) == f"w{applied.index(True)}"
    kinds = entries_of(stores)
    assert [kinds.count(kind) for kind in ("promote", "done", "conflict", "failed")] == [50, 2, 49, 49]
    failed = [decision for decision in stores.ledger.decisions() if decision.kind == "failed"]
    assert all("was not promoted" in decision.reason for decision in failed)


# Bootstrapping and rolling back


def test_the_first_version_is_promoted_without_gates_and_the_ledger_says_so():
    """A bootstrap is a decision of its own kind."""
    stores, _ = healed_environment()
    (decision,) = stores.ledger.decisions()
    assert (decision.kind, decision.version, decision.previous_version, decision.actor) == (
        "bootstrap",
        "v1",
        None,
        "test",
    )
    assert "without gates" in decision.reason


def test_a_second_bootstrap_is_refused_and_a_repeated_one_is_not():
    """Another first version is a conflict; the same one again is the same."""
    stores, _ = healed_environment()
    promote_first(stores, stores.models.manifest("v1"), now=LATER, actor="test")
    with pytest.raises(PromotionConflict, match="v1 is in production already"):
        promote_first(stores, stores.models.manifest("v2"), now=LATER, actor="test")
    assert entries_of(stores) == ["bootstrap", "done"]


def test_a_rollback_brings_the_previous_version_back():
    """It bypasses the gates, not the ledger, and starts a cooldown."""
    stores, healing = healed_environment()
    conclude(stores, healing, PROMOTE, LATER)
    decision = roll_back(stores, None, reason="complaints", actor="ann", now=LATER + HOUR)
    assert production_of(stores) == "v1"
    assert (decision.kind, decision.version, decision.previous_version, decision.actor) == (
        "rollback",
        "v1",
        "v2",
        "ann",
    )
    assert stores.ledger.story().last_move == LATER + HOUR
    assert entries_of(stores)[-2:] == ["rollback", "done"]


@pytest.mark.parametrize(
    ("version", "error"),
    [(None, RollbackImpossible), ("v1", AlreadyInProduction), ("v9", VersionUnknown)],
)
def test_a_rollback_to_nowhere_is_refused_and_leaves_no_trace(version: str | None, error: type[Exception]):
    """Nothing before the first version, nothing to do for the current one, no unknown ones."""
    stores, _ = healed_environment()
    with pytest.raises(error):
        roll_back(stores, version, reason="complaints", actor="ann", now=LATER)
    assert entries_of(stores) == ["bootstrap", "done"]


def three_versions() -> Stores:
    """v1, which v2 replaced, which v3 replaced."""
    stores, _ = healed_environment()
    write_version(stores, "v3", slope=1.0)
    for number, version in enumerate(("v2", "v3")):
        force_promotion(stores, version, reason="a hunch", actor="ann", now=LATER + number * HOUR)
    return stores


def rolled_back(stores: Stores, hours: int, version: str | None = None) -> str:
    roll_back(stores, version, reason="complaints", actor="ann", now=LATER + hours * HOUR)
    return production_of(stores)


def test_a_second_rollback_goes_back_one_further():
    """What was just taken back doesn't return: the version before that one does, and before the first there is none."""
    stores = three_versions()
    assert [rolled_back(stores, 3), rolled_back(stores, 4)] == ["v2", "v1"]
    with pytest.raises(RollbackImpossible, match="v2, which was taken back, returns by its name alone"):
        rolled_back(stores, 5)


def test_a_version_that_was_taken_back_returns_by_name():
    """It then stands on the version that it replaced anew, and what was promoted after a rollback on what it met."""
    stores = three_versions()
    assert [rolled_back(stores, 3), rolled_back(stores, 4, "v3"), rolled_back(stores, 5)] == ["v2", "v3", "v2"]
    assert rolled_back(stores, 6, "v1") == "v1"
    force_promotion(stores, "v3", reason="a hunch", actor="ann", now=LATER + 7 * HOUR)
    assert rolled_back(stores, 8) == "v1"


def test_a_rollback_counts_though_its_outcome_was_never_written():
    """The pointer says that it moved; the process died before the ledger could."""
    stores = three_versions()
    rolled_back(stores, 3)
    entries = list(stores.ledger.entries())
    assert entries[-1].outcome is not None
    assert Story(entries[:-1]).versions_in_line(stores.pointer.read().pointer) == ["v1", "v2"]


# Crashes


class CrashingBucket(MemoryBucket):
    """A bucket whose process dies before its next write number `crash_at`."""

    crash_at: int | None = None

    def create(self, key: str, body: bytes) -> str:
        self._count_down()
        return super().create(key, body)

    def replace(self, key: str, body: bytes, etag: str) -> str:
        self._count_down()
        return super().replace(key, body, etag)

    def _count_down(self) -> None:
        if self.crash_at is not None:
            self.crash_at -= 1
            if self.crash_at < 0:
                raise StoreUnavailable("the process died")


def crashed(before_write: int) -> tuple[Stores, Healing, CrashingBucket]:
    registry = CrashingBucket()
    stores = Stores(MemoryBucket(), registry)
    promote_first(stores, write_version(stores, "v1", slope=0.0), now=START, actor="test")
    write_version(stores, "v2", slope=2.0)
    healing = healing_of(stores)
    registry.crash_at = before_write
    with pytest.raises(StoreUnavailable):
        conclude(stores, healing, PROMOTE, LATER)
    registry.crash_at = None
    return stores, healing, registry


# Decision, its seal, swap, outcome, its seal.
@pytest.mark.parametrize("before_write", range(5))
def test_a_promotion_that_crashed_is_finished_by_its_retry(before_write: int):
    """Before the decision, before the swap, before the outcome: the retried function completes what is missing."""
    stores, healing, _ = crashed(before_write)
    assert conclude(stores, healing, PROMOTE, LATER).applied
    assert entries_of(stores) == ["bootstrap", "done", "promote", "done"]
    assert production_of(stores) == "v2"


@pytest.mark.parametrize(
    ("before_write", "expected", "production"),
    [
        (0, ["bootstrap", "done", "failed"], "v1"),
        (1, ["bootstrap", "done", "promote", "done"], "v2"),
        (2, ["bootstrap", "done", "promote", "done"], "v2"),
        (3, ["bootstrap", "done", "promote", "done"], "v2"),
        (4, ["bootstrap", "done", "promote", "done"], "v2"),
    ],
)
def test_a_promotion_that_crashed_for_good_is_settled_by_the_next_run(
    before_write: int, expected: list[str], production: str
):
    """Without a decision it failed; with one the swap and the outcome are made up for."""
    stores, healing, _ = crashed(before_write)
    sweep(stores, FakeExecutions(statuses={healing.execution: "FAILED"}), LATER + HOUR)
    assert entries_of(stores) == expected
    assert production_of(stores) == production


def test_a_promotion_under_way_is_not_settled_by_another_run():
    """A decision of a few minutes ago without an outcome belongs to whoever is at it."""
    stores, healing, _ = crashed(1)
    sweep(stores, FakeExecutions(statuses={healing.execution: "RUNNING"}), LATER + timedelta(minutes=5))
    assert entries_of(stores) == ["bootstrap", "done", "promote"]


def test_a_crashed_promotion_that_was_overtaken_is_undone():
    """Somebody promoted v3 meanwhile: the crashed promotion of v2 becomes a conflict, v3 stays."""
    stores, healing, _ = crashed(1)
    write_version(stores, "v3", slope=1.0)
    conclude(
        stores, healing.model_copy(update={"execution": "v1-1"}), PROMOTE.model_copy(update={"version": "v3"}), LATER
    )
    sweep(stores, FakeExecutions(), LATER + HOUR)
    assert entries_of(stores) == ["bootstrap", "done", "promote", "promote", "done", "conflict"]
    assert production_of(stores) == "v3"


def test_a_crashed_promotion_that_was_rolled_back_meanwhile_is_known_to_have_happened():
    """The swap was made, its outcome wasn't written, and a person rolled back: the outcome is done all the same."""
    stores, _, _ = crashed(3)
    roll_back(stores, "v1", reason="complaints", actor="ann", now=LATER + timedelta(minutes=5))
    sweep(stores, FakeExecutions(), LATER + HOUR)
    outcomes = {entry.outcome.decision_id: entry.outcome.kind for entry in stores.ledger.entries() if entry.outcome}
    assert outcomes["v1-0"] == "done"
    assert production_of(stores) == "v1"


def test_a_repeated_promotion_that_was_rolled_back_meanwhile_is_known_to_have_happened():
    """The swap was made, its outcome wasn't, a person rolled back, and the function runs again: nothing was lost."""
    stores, healing, _ = crashed(3)
    roll_back(stores, "v1", reason="complaints", actor="ann", now=LATER + timedelta(minutes=5))
    assert conclude(stores, healing, PROMOTE, LATER).applied
    assert entries_of(stores) == ["bootstrap", "done", "promote", "rollback", "done", "done"]
    assert production_of(stores) == "v1"


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_executions_that_ended_without_a_decision_are_written_down_as_failed(status: str):
    """Aborted or timed out as a whole, they bypass Catch: the next run writes `failed`, once."""
    stores, _ = healed_environment()
    executions = FakeExecutions(statuses={"v1-0": status, "v1-1": "RUNNING"})
    decision = sweep(stores, executions, LATER).decisions[-1]
    assert (decision.kind, decision.execution, decision.previous_version) == ("failed", "v1-0", "v1")
    assert status in decision.reason
    assert [known.kind for known in sweep(stores, executions, LATER).decisions] == ["bootstrap", "failed"]


# The ledger


def test_appending_twice_is_appending_once():
    """A decision and an outcome have one entry each, however often they are written."""
    ledger = Ledger(MemoryBucket())
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
    outcome = Outcome(decision_id="d", kind="done", recorded_at=START, reason="")
    assert ledger.append_decision(decision) == ledger.append_decision(decision)
    assert ledger.append_outcome(outcome) == ledger.append_outcome(outcome)
    assert [entry.sequence for entry in ledger.entries()] == [1, 2]


def test_a_healing_without_a_trained_version_cannot_be_judged():
    """The error says what training had to say."""
    stores, healing = healed_environment()
    nothing = Training(outcome="skip", reason="too few labels")
    with pytest.raises(Exception, match="too few labels"):
        evaluate_gates(stores, healing, nothing, LATER)


# More rows than memory holds


def test_of_more_predictions_than_memory_holds_a_sample_judges(monkeypatch: pytest.MonkeyPatch):
    """The same one for the wait and the gates: an even one, with its own labels; ledger and wait say of how many."""
    monkeypatch.setattr("selfheal.usecases.heal.comparison.labelled_window", partial(labelled_window, most=600))
    stores, healing = healed_environment()
    ids = np.array(traffic(stores, since=START + 9 * DAY, rows=1400, labelled_share=0.7), dtype=object)
    verdict = evaluate_gates(stores, healing, trained(), LATER)
    assert verdict.kind == "promote"
    circumstances = verdict.evidence.circumstances
    assert (circumstances.predictions, circumstances.sampled_from) == (600, 1400)
    chosen = set(ids[np.argsort(id_hashes(ids))[:600]])
    labelled = stores.labels.of_predictions_between(START, LATER)
    assert list(read_evidence(stores, verdict.evidence).row_ids) == [
        key for key in ids if key in chosen & set(labelled)
    ]
    window = labelled_window(stores, CONTRACT, START + 9 * DAY, LATER, most=600)
    assert "in a sample of 1400 predictions" in progress(window, CONTRACT.policy, LATER, LATER).reason


def test_a_sample_leaves_labels_of_others_unread(monkeypatch: pytest.MonkeyPatch):
    """Of 1,400 labels those of 100 predictions become records; labels of nobody's prediction count in proportion."""
    stores, _ = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=1400)
    moment = START + 9.5 * DAY
    nobodys = [prediction_id(new_request_id(moment), row) for row in range(1000)]
    stores.labels.accept(
        Label(prediction_id=key, label=1, label_timestamp=moment, received_at=moment) for key in nobodys
    )
    parsed: list[KnownLabel] = []
    monkeypatch.setattr(stores.labels, "_labels_in", lambda body: parsed.extend(known_labels(body)) or parsed)
    window = labelled_window(stores, CONTRACT, START + 9 * DAY, LATER, most=100)
    assert len(window.predictions) == len(window.labelled) == 100
    assert window.unmatched == pytest.approx(1000 / 14, rel=0.4)
    assert len(parsed) == 100 + window.unmatched
