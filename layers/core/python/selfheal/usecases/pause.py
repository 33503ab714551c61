"""The kill switch: a person pauses automatic promotion with one command, and it works from the next decision on.

It stands in the ledger: whoever promotes has to read that anyway, so a switch that can't be read stops the promotion,
no function needs a further right, and each use is on record beside the decisions that were made under it.
"""

from collections.abc import Iterable
from datetime import datetime

from selfheal.composition import Stores
from selfheal.records.ledger import Decision, LedgerEntry, Switch
from selfheal.records.predictions import new_request_id


def pause(stores: Stores, *, reason: str, actor: str, now: datetime) -> Switch:
    """Pause automatic promotion; where it is paused already, that pause is returned as it stands.

    Raises:
        LedgerBroken, StoreUnavailable: the ledger's chain doesn't hold, or the registry doesn't answer.
    """
    return pause_in_force(stores.ledger.entries()) or _switched(stores, reason, actor, now, paused=True)


def resume(stores: Stores, *, reason: str, actor: str, now: datetime) -> Switch | None:
    """End the pause; None where there was none. Raises LedgerBroken, StoreUnavailable."""
    if pause_in_force(stores.ledger.entries()) is None:
        return None
    return _switched(stores, reason, actor, now, paused=False)


def pause_in_force(entries: Iterable[LedgerEntry]) -> Switch | None:
    """The pause that the newest switch among the entries began; None where automatic promotion is on."""
    newest: Switch | None = None
    for entry in entries:
        newest = entry.switch or newest
    return newest if newest is not None and newest.paused else None


def is_stopped_by_a_pause(decision: Decision) -> bool:
    """Whether a pause concerns a decision: a healing's promotion. What people command goes on, as do rollbacks."""
    return decision.kind == "promote" and decision.execution is not None


def pause_sentence(switch: Switch) -> str:
    """Since when automatic promotion is paused, by whom and why."""
    return (
        f"automatic promotion is paused since {switch.changed_at:%Y-%m-%d %H:%M} UTC by {switch.actor}: {switch.reason}"
    )


def _switched(stores: Stores, reason: str, actor: str, now: datetime, *, paused: bool) -> Switch:
    switch = Switch(switch_id=new_request_id(now), paused=paused, changed_at=now, reason=reason, actor=actor)
    return stores.ledger.append_switch(switch).switch or switch
