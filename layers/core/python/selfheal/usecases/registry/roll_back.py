"""Bring an older version back: a promotion that bypasses the gates, never the ledger."""

from datetime import datetime

from selfheal.errors import AlreadyInProduction, RollbackImpossible
from selfheal.records.ledger import Decision, Evidence
from selfheal.records.pointer import Pointer
from selfheal.records.predictions import new_request_id
from selfheal.stores.collection import Stores
from selfheal.stores.pointer import PointerRead
from selfheal.usecases.registry.moves import Tell, move_production


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
    decision_id: str | None = None,
    tell: Tell = lambda _: None,
) -> Decision:
    """Put a version back into production; None: the one that the current version replaced.

    A version that was taken back itself comes back by name alone. `tell` gets the sentence that says what came of it.

    `production` is what the caller has judged: where it has been replaced meanwhile, nothing moves. `decision_id` names
    what may be commanded twice: the second time finishes the first.

    Raises:
        RollbackImpossible: the current version replaced none.
        AlreadyInProduction: that version answers already.
        VersionUnknown: the registry doesn't hold it.
        PromotionConflict: another writer moved production meanwhile.
        NoProductionModel, StoreUnavailable: there is nothing to roll back, or the registry doesn't answer.
    """
    production = production or stores.pointer.read()
    current = production.pointer.version
    target = version or _version_before(stores, production.pointer)
    if target == current:
        raise AlreadyInProduction(f"{current} is in production already")
    decision = Decision(
        decision_id=decision_id or f"rollback-{new_request_id(now)}",
        kind="rollback",
        decided_at=now,
        version=stores.models.manifest(target).version,
        previous_version=current,
        replaces=production.pointer.decision_id,
        reason=reason,
        trigger=trigger,
        actor=actor,
        evidence=evidence,
    )
    return move_production(stores, decision, now, tell=tell)


def _version_before(stores: Stores, production: Pointer) -> str:
    line = stores.ledger.story().versions_in_line(production)
    if len(line) > 1:
        return line[-2]
    taken_back = production.previous_version
    by_name = f"; {taken_back}, which was taken back, returns by its name alone" if taken_back else ""
    raise RollbackImpossible(f"{production.version} is the first version of its environment: it replaced none{by_name}")
