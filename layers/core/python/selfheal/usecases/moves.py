"""Moves of the production pointer: the decision is in the ledger before the pointer moves, its outcome after."""

from datetime import datetime, timedelta

from selfheal.composition import Stores
from selfheal.errors import HealingIncomplete, PromotionConflict
from selfheal.records.ledger import Decision, LedgerEntry, Outcome
from selfheal.records.pointer import Pointer
from selfheal.stores.ledger import Revision
from selfheal.usecases.pause import is_stopped_by_a_pause, pause_in_force, pause_sentence

MOVING = frozenset({"bootstrap", "promote", "rollback"})
# Longer than any function may run: a move that is older and has no outcome was interrupted.
INTERRUPTED_AFTER = timedelta(minutes=15)


def move_production(
    stores: Stores,
    decision: Decision,
    etag: str | None,
    now: datetime,
    revised: Revision = lambda decision, _: decision,
) -> Decision:
    """Write the decision, swap the pointer whose ETag is `etag`, write the outcome. Doing it again changes nothing.

    `etag` None: there is no pointer yet. `revised` may make another decision of it, in view of the ledger before it:
    one that moves nothing is written and returned.

    Raises:
        VersionUnknown: the registry doesn't hold the version; nothing is written.
        PromotionConflict: the pointer isn't that one any more, or a person paused automatic promotion; the ledger says
            so and production is untouched.
        StoreUnavailable: the registry doesn't answer; the next run finishes or undoes the move.
    """
    manifest = stores.models.manifest_sha256(decision.version or "")
    decided = decision.model_copy(update={"manifest_sha256": manifest})
    written = stores.ledger.append_decision(decided, revised).decision or decided
    return _finished(stores, written, etag, now) if written.kind in MOVING else written


def outcome_of(entries: list[LedgerEntry], decision_id: str) -> Outcome | None:
    """What the ledger says became of a decision; None where it doesn't say (yet)."""
    return next(
        (entry.outcome for entry in entries if entry.outcome and entry.outcome.decision_id == decision_id), None
    )


def settle_interrupted(stores: Stores, now: datetime) -> list[Outcome]:
    """Give every move that was interrupted its outcome, finishing those whose pointer is still the one they replace.

    Raises:
        StoreUnavailable: the registry doesn't answer.
    """
    entries = list(stores.ledger.entries())
    open_moves = [
        entry.decision
        for entry in entries
        if entry.decision
        and entry.decision.kind in MOVING
        and entry.decision.decided_at <= now - INTERRUPTED_AFTER
        and outcome_of(entries, entry.decision.decision_id) is None
    ]
    outcomes = [_settled(stores, decision, entries, now) for decision in open_moves]
    return [stores.ledger.append_outcome(outcome).outcome or outcome for outcome in outcomes]


def _finished(stores: Stores, decision: Decision, etag: str | None, now: datetime) -> Decision:
    entries = list(stores.ledger.entries())
    outcome = outcome_of(entries, decision.decision_id)
    if outcome is None:
        outcome = _stopped(stores, decision, entries, now) or _swapped(stores, decision, etag, now)
        outcome = stores.ledger.append_outcome(outcome).outcome or outcome
    if outcome.kind == "conflict":
        raise PromotionConflict(outcome.reason)
    return decision


def _stopped(stores: Stores, decision: Decision, entries: list[LedgerEntry], now: datetime) -> Outcome | None:
    """What a pause that came after the decision, and before the swap, makes of an automatic promotion."""
    pause = pause_in_force(entries)
    if pause is None or not is_stopped_by_a_pause(decision):
        return None
    if stores.pointer.read().pointer.decision_id == decision.decision_id:
        return _done(decision, now, "the pointer was swapped before the pause")
    reason = f"not carried out: {pause_sentence(pause)}"
    return Outcome(decision_id=decision.decision_id, kind="conflict", recorded_at=now, reason=reason)


def _swapped(stores: Stores, decision: Decision, etag: str | None, now: datetime) -> Outcome:
    try:
        if etag is None:
            stores.pointer.write_first(_pointer(decision))
        else:
            stores.pointer.swap(_pointer(decision), etag)
    except PromotionConflict as conflict:
        # This may be a repeated call, and somebody may have moved production on since the first one.
        if _was_left_behind(decision, list(stores.ledger.entries()), stores.pointer.read().pointer):
            return _done(decision, now, "the pointer was swapped, and has been moved on since")
        return Outcome(decision_id=decision.decision_id, kind="conflict", recorded_at=now, reason=str(conflict))
    return _done(decision, now, "the pointer was swapped")


def _settled(stores: Stores, decision: Decision, entries: list[LedgerEntry], now: datetime) -> Outcome:
    production = stores.pointer.read()
    if _was_left_behind(decision, entries, production.pointer):
        return _done(decision, now, "interrupted after the swap")
    has_successor = _next_move(decision, entries, production.pointer) is not None
    if not has_successor and production.pointer.version == decision.previous_version:
        return _stopped(stores, decision, entries, now) or _swapped(stores, decision, production.etag, now)
    reason = f"interrupted before the swap; production has moved on to {production.pointer.version}"
    return Outcome(decision_id=decision.decision_id, kind="conflict", recorded_at=now, reason=reason)


def _was_left_behind(decision: Decision, entries: list[LedgerEntry], production: Pointer) -> bool:
    """Whether production is what the decision made of it, or whoever moved it on found it so."""
    if production.decision_id == decision.decision_id:
        return True
    successor = _next_move(decision, entries, production)
    return successor is not None and successor.previous_version == decision.version


def _next_move(decision: Decision, entries: list[LedgerEntry], production: Pointer) -> Decision | None:
    """The first later decision that moved production; its outcome may not be written yet."""
    decisions = [entry.decision for entry in entries if entry.decision]
    position = next(i for i, known in enumerate(decisions) if known.decision_id == decision.decision_id)
    for later in decisions[position + 1 :]:
        outcome = outcome_of(entries, later.decision_id)
        if production.decision_id == later.decision_id or (outcome is not None and outcome.kind == "done"):
            return later
    return None


def _pointer(decision: Decision) -> Pointer:
    if decision.version is None:
        raise HealingIncomplete(f"decision {decision.decision_id} names no version to promote: decide anew")
    return Pointer(
        version=decision.version,
        promoted_at=decision.decided_at,
        previous_version=decision.previous_version,
        decision_id=decision.decision_id,
    )


def _done(decision: Decision, now: datetime, reason: str) -> Outcome:
    return Outcome(decision_id=decision.decision_id, kind="done", recorded_at=now, reason=reason)
