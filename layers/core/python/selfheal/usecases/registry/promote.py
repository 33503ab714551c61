"""A person puts a version into production without the gates; the ledger says who, and why."""

from datetime import datetime

from selfheal.errors import AlreadyInProduction
from selfheal.records.ledger import Decision
from selfheal.records.predictions import new_request_id
from selfheal.stores.collection import Stores
from selfheal.usecases.registry.moves import Tell, move_production


def force_promotion(
    stores: Stores, version: str, *, reason: str, actor: str, now: datetime, tell: Tell = lambda _: None
) -> Decision:
    """Promote a version that no gate has judged, or that one has rejected; `tell` gets the sentence that says so.

    Raises:
        AlreadyInProduction: there is nothing to do.
        VersionUnknown: the registry doesn't hold it.
        PromotionConflict: another writer moved production meanwhile.
        NoProductionModel, StoreUnavailable: there is nothing to replace, or the registry doesn't answer.
    """
    production = stores.pointer.read()
    if version == production.pointer.version:
        raise AlreadyInProduction(f"{version} is in production already")
    decision = Decision(
        decision_id=f"forced-{new_request_id(now)}",
        kind="promote",
        decided_at=now,
        version=stores.models.manifest(version).version,
        previous_version=production.pointer.version,
        replaces=production.pointer.decision_id,
        reason=f"forced, without gates: {reason}",
        trigger="forced",
        actor=actor,
    )
    return move_production(stores, decision, now, tell=tell)
