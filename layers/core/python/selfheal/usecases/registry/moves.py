"""Moves of the production pointer: the decision is in the ledger before the pointer moves, its outcome after.

A swap rests on the pointer as it was read, and on the ledger as it was read after that. It demands the same pointer,
and a pause changes the pointer before it stops a swap (`pause.enforce`): of the two one loses, and looks again. A
decision names the one that it replaces, so that the ledger says what was ever in production, and names of versions
don't have to.
"""

from collections.abc import Callable
from datetime import datetime

from selfheal.errors import HealingIncomplete, NoProductionModel, PromotionConflict, ReferenceTampered, StoreUnavailable
from selfheal.healing.sentences import sentence_of
from selfheal.records.ledger import Decision, Outcome, OutcomeKind, Switch
from selfheal.records.pointer import Pointer
from selfheal.stores.collection import Stores
from selfheal.stores.ledger import Revision
from selfheal.stores.pointer import PointerRead
from selfheal.usecases.registry.pause import enforce

type Tell = Callable[[str], None]


def move_production(
    stores: Stores,
    decision: Decision,
    now: datetime,
    *,
    revised: Revision = lambda decision, _: decision,
    tell: Tell = lambda _: None,
) -> Decision:
    """Write the decision, carry it out, tell, write the outcome. Again it changes nothing; a person's command that
    was interrupted is finished by the same command.

    `revised` may make another decision of it, in view of the ledger before it: one that moves nothing is written and
    returned. `tell` gets the sentence of what became of it: where it fails, there is no outcome yet, and the next
    monitoring run tells.

    Raises:
        VersionUnknown: the registry doesn't hold the version; nothing is written.
        PromotionConflict: production isn't what the decision replaces any more, or a person paused automatic promotion;
            the ledger says so and production is untouched.
        StoreUnavailable: the registry doesn't answer; the next monitoring run finishes or ends the move.
    """
    manifest = stores.models.manifest_sha256(decision.version or "")
    try:
        decided = _begun_before(stores, decision.model_copy(update={"manifest_sha256": manifest}))
        written = stores.ledger.append_decision(decided, revised).decision or decided
        if not written.is_move:
            return written
        outcome = carried_out(stores, written, now)
        tell(sentence_of(written, outcome))
        stores.ledger.append_outcome(outcome)
    except StoreUnavailable as error:
        raise StoreUnavailable(
            f"{error}. `selfheal history` shows whether decision {decision.decision_id} stands in the ledger: if it "
            "does, the next monitoring run carries it out or ends it, and tells what became of it"
        ) from error
    if outcome.kind == "conflict":
        raise PromotionConflict(outcome.reason)
    return written


def carried_out(stores: Stores, decision: Decision, now: datetime) -> Outcome:
    """Swap the pointer if the decision still holds; what became of it, to be written down. Doing it again is safe.

    Raises:
        VersionUnknown, ReferenceTampered: the version's manifest isn't there, or was changed since the decision.
        StoreUnavailable: the registry doesn't answer.
    """
    while True:
        # In this order: what is in the pointer is then in the ledger.
        production = _production(stores)
        story = stores.ledger.story()
        known = story.outcome_of(decision)
        if known is not None:
            return known
        current = production.pointer.decision_id if production else None
        if decision.decision_id in story.ever_in_production(current):
            return _outcome(decision, "done", now, "the pointer was swapped")
        if current != decision.replaces:
            return _outcome(decision, "conflict", now, _moved_on(decision, production))
        pause = story.pause_after(decision)
        try:
            if pause is not None:
                enforce(stores, pause, production)
                return _outcome(decision, "conflict", now, _stopped(pause.switch))
            _swap(stores, decision, production)
        except PromotionConflict:
            continue
        return _outcome(decision, "done", now, "the pointer was swapped")


def pointer_of(decision: Decision) -> Pointer:
    """What the pointer holds once a decision is carried out. Raises HealingIncomplete where it names no version."""
    if decision.version is None:
        raise HealingIncomplete(f"decision {decision.decision_id} names no version to promote: decide anew")
    return Pointer(
        version=decision.version,
        promoted_at=decision.decided_at,
        previous_version=decision.previous_version,
        decision_id=decision.decision_id,
        manifest_sha256=decision.manifest_sha256,
    )


def _begun_before(stores: Stores, decision: Decision) -> Decision:
    """The same command as it stands in the ledger without an outcome, or the decision itself."""
    if decision.execution is not None:
        return decision
    begun = stores.ledger.story().open_moves
    return next((known for known in begun if _command_of(known) == _command_of(decision)), decision)


def _command_of(decision: Decision) -> tuple[str | None, ...]:
    return decision.kind, decision.version, decision.replaces, decision.trigger, decision.actor


def _production(stores: Stores) -> PointerRead | None:
    try:
        return stores.pointer.read()
    except NoProductionModel:
        return None


def _swap(stores: Stores, decision: Decision, production: PointerRead | None) -> None:
    if stores.models.manifest_sha256(decision.version or "") != decision.manifest_sha256:
        raise ReferenceTampered(f"the manifest of {decision.version} isn't the one of decision {decision.decision_id}")
    if production is None:
        stores.pointer.write_first(pointer_of(decision))
    else:
        stores.pointer.swap(pointer_of(decision), production.etag)


def _moved_on(decision: Decision, production: PointerRead | None) -> str:
    if production is None:
        return f"{decision.version} was not promoted: there is no production model that it could replace"
    current = production.pointer
    replaced = f"decision {decision.replaces}" if decision.replaces else "nothing"
    found = f"production is {current.version} by decision {current.decision_id}"
    return f"{decision.version} was not promoted: {found}, and rests on {replaced} no longer"


def _stopped(switch: Switch) -> str:
    since = f"{switch.changed_at:%Y-%m-%d %H:%M} UTC"
    return f"not carried out: automatic promotion was paused at {since} by {switch.actor}: {switch.reason}"


def _outcome(decision: Decision, kind: OutcomeKind, now: datetime, reason: str) -> Outcome:
    return Outcome(decision_id=decision.decision_id, kind=kind, recorded_at=now, reason=reason)
