"""The kill switch: a person pauses automatic promotion with one command, and it works from the next decision on.

It stands in the ledger: whoever promotes has to read that anyway, so a switch that can't be read stops the promotion,
no function needs a further right, and each use is on record beside the decisions that were made under it. It is marked
in the pointer too, so that a swap which didn't see it fails: once `pause` has returned, no promotion comes after it.
"""

from datetime import datetime

from selfheal.errors import NoProductionModel, PromotionConflict
from selfheal.records.ledger import Switch
from selfheal.records.predictions import new_request_id
from selfheal.records.story import Pause
from selfheal.stores.collection import Stores
from selfheal.stores.pointer import PointerRead


def pause(stores: Stores, *, reason: str, actor: str, now: datetime) -> Switch:
    """Pause automatic promotion; where it is paused already, that pause is returned as it stands.

    Raises:
        LedgerBroken, StoreUnavailable: the ledger's chain doesn't hold, or the registry doesn't answer: pause again.
    """
    found = stores.ledger.story().pause or _switched(stores, reason, actor, now, paused=True)
    while True:
        try:
            enforce(stores, found, stores.pointer.read())
        except PromotionConflict:
            continue
        except NoProductionModel:
            pass
        return found.switch


def resume(stores: Stores, *, reason: str, actor: str, now: datetime) -> Switch | None:
    """End the pause; None where there was none. Raises LedgerBroken, StoreUnavailable."""
    if stores.ledger.story().pause is None:
        return None
    return _switched(stores, reason, actor, now, paused=False).switch


def enforce(stores: Stores, pause: Pause, production: PointerRead | None) -> None:
    """Mark a pause in the pointer, so that every swap fails whose writer read the pointer before the pause.

    Raises:
        PromotionConflict: the pointer isn't the one that was read any more.
        StoreUnavailable: the registry doesn't answer.
    """
    if production is None or production.pointer.last_pause >= pause.sequence:
        return
    marked = production.pointer.model_copy(update={"last_pause": pause.sequence})
    stores.pointer.swap(marked, production.etag)


def pause_sentence(switch: Switch) -> str:
    """Since when automatic promotion is paused, by whom and why."""
    return (
        f"automatic promotion is paused since {switch.changed_at:%Y-%m-%d %H:%M} UTC by {switch.actor}: {switch.reason}"
    )


def _switched(stores: Stores, reason: str, actor: str, now: datetime, *, paused: bool) -> Pause:
    switch = Switch(switch_id=new_request_id(now), paused=paused, changed_at=now, reason=reason, actor=actor)
    entry = stores.ledger.append_switch(switch)
    return Pause(entry.sequence, entry.switch or switch)
