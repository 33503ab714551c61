"""The kill switch: a person pauses automatic promotion with one command, and it works from the next decision on.

It stands in the ledger: whoever promotes has to read that anyway, so a switch that can't be read stops the promotion,
no function needs a further right, and each use is on record beside the decisions that were made under it. It is marked
in the pointer too, so that a swap which didn't see it fails: once `pause` has returned, no promotion comes after it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from selfheal.errors import NoProductionModel, PromotionConflict
from selfheal.records.ledger import Decision, LedgerEntry, Switch
from selfheal.records.predictions import new_request_id
from selfheal.stores.collection import Stores
from selfheal.stores.pointer import PointerRead


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause, and where in the ledger it stands."""

    sequence: int
    switch: Switch


def pause(stores: Stores, *, reason: str, actor: str, now: datetime) -> Switch:
    """Pause automatic promotion; where it is paused already, that pause is returned as it stands.

    Raises:
        LedgerBroken, StoreUnavailable: the ledger's chain doesn't hold, or the registry doesn't answer: pause again.
    """
    found = _in_force(stores.ledger.entries()) or _switched(stores, reason, actor, now, paused=True)
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
    if pause_in_force(stores.ledger.entries()) is None:
        return None
    return _switched(stores, reason, actor, now, paused=False).switch


def pause_in_force(entries: Iterable[LedgerEntry]) -> Switch | None:
    """The pause that the newest switch among the entries began; None where automatic promotion is on."""
    found = _in_force(entries)
    return None if found is None else found.switch


def pause_after(entries: Sequence[LedgerEntry], decision: Decision) -> Pause | None:
    """The newest pause since a decision, which stops it, also where it is over; None where nothing stops it."""
    if not is_stopped_by_a_pause(decision):
        return None
    for entry in reversed(entries):
        if entry.switch and entry.switch.paused:
            return Pause(entry.sequence, entry.switch)
        if entry.decision and entry.decision.decision_id == decision.decision_id:
            return None
    return None


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


def is_stopped_by_a_pause(decision: Decision) -> bool:
    """Whether a pause concerns a decision: a healing's promotion. What people command goes on, as do rollbacks."""
    return decision.kind == "promote" and decision.execution is not None


def pause_sentence(switch: Switch) -> str:
    """Since when automatic promotion is paused, by whom and why."""
    return (
        f"automatic promotion is paused since {switch.changed_at:%Y-%m-%d %H:%M} UTC by {switch.actor}: {switch.reason}"
    )


def _in_force(entries: Iterable[LedgerEntry]) -> Pause | None:
    newest: Pause | None = None
    for entry in entries:
        if entry.switch:
            newest = Pause(entry.sequence, entry.switch)
    return newest if newest is not None and newest.switch.paused else None


def _switched(stores: Stores, reason: str, actor: str, now: datetime, *, paused: bool) -> Pause:
    switch = Switch(switch_id=new_request_id(now), paused=paused, changed_at=now, reason=reason, actor=actor)
    entry = stores.ledger.append_switch(switch)
    return Pause(entry.sequence, entry.switch or switch)
