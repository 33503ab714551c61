"""Bring an older version back: a promotion that bypasses the gates, never the ledger."""

from datetime import datetime

from selfheal.composition import Stores
from selfheal.errors import AlreadyInProduction, RollbackImpossible
from selfheal.records.ledger import Decision, Evidence
from selfheal.records.predictions import new_request_id
from selfheal.stores.pointer import PointerRead
from selfheal.usecases.moves import move_production


def roll_back(
    stores: Stores,
    version: str | None,
    *,
    reason: str,
    actor: str,
    now: datetime,
    trigger: str = "manual",
    evidence: Evidence | None = None,
    production: PointerRead | None = None,
) -> Decision:
    """Put a version (None: the one before the current one) back into production.

    `production` is what the caller has judged: where it has been replaced meanwhile, nothing moves.

    Raises:
        RollbackImpossible: there is no version before.
        AlreadyInProduction: that version answers already.
        VersionUnknown: the registry doesn't hold it.
        PromotionConflict: another writer moved production meanwhile.
        NoProductionModel, StoreUnavailable: there is nothing to roll back, or the registry doesn't answer.
    """
    production = production or stores.pointer.read()
    current = production.pointer.version
    target = version or production.pointer.previous_version
    if target is None:
        raise RollbackImpossible(f"{current} is the first version of its environment: nothing came before it")
    if target == current:
        raise AlreadyInProduction(f"{current} is in production already")
    decision = Decision(
        decision_id=f"rollback-{new_request_id(now)}",
        kind="rollback",
        decided_at=now,
        version=stores.models.manifest(target).version,
        previous_version=current,
        reason=reason,
        trigger=trigger,
        actor=actor,
        evidence=evidence,
    )
    return move_production(stores, decision, production.etag, now)
