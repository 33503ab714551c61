"""End a healing: write what was decided, move production where it was decided to, say so in one sentence."""

from datetime import datetime

from selfheal.errors import NoProductionModel, PromotionConflict, VersionUnknown
from selfheal.healing.sentences import sentence_of
from selfheal.records.healing import Conclusion, Ending, Healing, Verdict
from selfheal.records.ledger import Decision
from selfheal.records.manifest import Manifest
from selfheal.records.pointer import Pointer
from selfheal.records.story import Story
from selfheal.stores.collection import Stores
from selfheal.usecases.registry.moves import Tell, move_production
from selfheal.usecases.registry.pause import pause_sentence

ACTOR = "healing"


def conclude(stores: Stores, healing: Healing, result: Verdict | Ending, now: datetime) -> Conclusion:
    """Write the one decision of a healing and carry it out; a repeated call finds it in the ledger and finishes it.

    A promotion whose swap is lost becomes a conflict in the ledger, and the healing's decision is `failed`. While a
    person has paused automatic promotion, it becomes a `reject` that says so.

    Raises:
        StoreUnavailable: the registry doesn't answer; calling again, or the next monitoring run, finishes it.
        LedgerBroken: the ledger's chain doesn't hold.
    """
    decision = stores.ledger.story().decision(healing.execution) or _decision(healing, result, now)
    if decision.kind != "promote":
        written = stores.ledger.append_decision(_identified(stores, decision)).decision or decision
        return Conclusion(decision=written, applied=True, sentence=sentence_of(written))
    try:
        moved = move_production(stores, decision, now, revised=_unless_paused)
    except PromotionConflict as conflict:
        return _lost(stores, healing, decision, conflict, now)
    return Conclusion(decision=moved, applied=True, sentence=sentence_of(moved))


def promote_first(
    stores: Stores, manifest: Manifest, *, now: datetime, actor: str, tell: Tell = lambda _: None
) -> Decision:
    """Put the first version of an environment into production, without gates; the ledger and `tell` say so.

    Raises:
        PromotionConflict: the environment has a production model already.
        StoreUnavailable: the registry doesn't answer; calling again finishes it.
    """
    decision = Decision(
        decision_id=f"bootstrap-{manifest.version}",
        kind="bootstrap",
        decided_at=now,
        version=manifest.version,
        previous_version=None,
        reason="the first version of an environment is promoted without gates",
        trigger="bootstrap",
        actor=actor,
    )
    _refuse_second_bootstrap(stores, decision)
    return move_production(stores, decision, now, tell=tell)


def _refuse_second_bootstrap(stores: Stores, decision: Decision) -> None:
    try:
        current: Pointer = stores.pointer.read().pointer
    except NoProductionModel:
        return
    if current.decision_id != decision.decision_id:
        raise PromotionConflict(f"{current.version} is in production already; `selfheal heal` replaces it")


def _decision(healing: Healing, result: Verdict | Ending, now: datetime) -> Decision:
    common = {
        "decision_id": healing.execution,
        "decided_at": now,
        "previous_version": healing.production_version,
        "replaces": healing.production_decision,
        "trigger": healing.trigger.kind,
        "actor": ACTOR,
        "execution": healing.execution,
    }
    if isinstance(result, Ending):
        return Decision(**common, kind=result.kind, version=result.version, reason=result.reason)
    return Decision(
        **common,
        kind=result.kind,
        version=result.version,
        reason=result.reason,
        gates=result.gates,
        evidence=result.evidence,
        approval=result.approval,
    )


def _identified(stores: Stores, decision: Decision) -> Decision:
    """With the hash of the version's manifest, so that what was rejected can be told from what was changed since."""
    if decision.version is None:
        return decision
    try:
        return decision.model_copy(update={"manifest_sha256": stores.models.manifest_sha256(decision.version)})
    except VersionUnknown:
        return decision


def _unless_paused(decision: Decision, story: Story) -> Decision:
    if story.pause is None or not decision.is_automatic:
        return decision
    reason = f"{pause_sentence(story.pause.switch)}; without the pause: {decision.reason}"
    return decision.model_copy(update={"kind": "reject", "reason": reason})


def _lost(
    stores: Stores, healing: Healing, promotion: Decision, conflict: PromotionConflict, now: datetime
) -> Conclusion:
    ending = Ending(kind="failed", reason=str(conflict), version=promotion.version)
    failed = _decision(healing, ending, now).model_copy(update={"decision_id": f"{healing.execution}-conflict"})
    written = stores.ledger.append_decision(failed).decision or failed
    return Conclusion(decision=written, applied=False, sentence=sentence_of(written))
