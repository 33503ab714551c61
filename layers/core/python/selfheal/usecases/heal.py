"""Start a healing, and account for those that ended without saying how."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from selfheal.composition import Stores
from selfheal.contract.model import Policy
from selfheal.errors import HealingRefused
from selfheal.records.healing import Healing, Trigger
from selfheal.records.ledger import Decision, LedgerEntry
from selfheal.records.predictions import new_request_id
from selfheal.stores.executions import Execution, Executions
from selfheal.usecases.moves import settle_interrupted
from selfheal.usecases.pause import pause_in_force, pause_sentence

# The kinds of decision that change which model answers, and therefore start a cooldown.
MOVES = frozenset({"promote", "rollback"})


def start_healing(stores: Stores, executions: Executions, trigger: Trigger, now: datetime) -> Healing:
    """Start a healing of the production model. The name says which attempt it is, so that there is one at a time.

    Raises:
        HealingRefused: one is under way, or a person has paused automatic promotion.
        NoProductionModel: there is nothing to heal.
        StoreUnavailable: the registry or Step Functions doesn't answer.
    """
    production = stores.pointer.read()
    entries = list(stores.ledger.entries())
    pause = pause_in_force(entries)
    if pause is not None:
        raise HealingRefused(f"{pause_sentence(pause)}; `selfheal resume` ends the pause")
    decisions = [entry.decision for entry in entries if entry.decision]
    healing = Healing(
        execution=f"{production.pointer.version}-{attempt(production.pointer.version, decisions)}",
        request_id=new_request_id(now),
        started_at=now,
        production_version=production.pointer.version,
        pointer_etag=production.etag,
        trigger=trigger,
    )
    executions.start(healing)
    return healing


def attempt(version: str, decisions: Sequence[Decision]) -> int:
    """How many healings of a version have ended: the number of the next one."""
    executions = {decision.execution for decision in decisions if decision.execution is not None}
    return sum(healed_version(execution) == version for execution in executions)


def healed_version(execution: str) -> str:
    """The production version that a healing set out to replace."""
    return execution.rpartition("-")[0]


def last_move(entries: Sequence[LedgerEntry]) -> datetime | None:
    """When production was last changed by a promotion or a rollback; None where it never was."""
    lost = {entry.outcome.decision_id for entry in entries if entry.outcome and entry.outcome.kind == "conflict"}
    moved = [
        entry.decision.decided_at
        for entry in entries
        if entry.decision and entry.decision.kind in MOVES and entry.decision.decision_id not in lost
    ]
    return max(moved, default=None)


def cooldown_ends(entries: Sequence[LedgerEntry], policy: Policy) -> datetime | None:
    """When the next promotion through the gates is allowed; None where no promotion or rollback came before."""
    move = last_move(entries)
    return None if move is None else move + timedelta(days=policy.gates.cooldown_days)


def next_start_allowed(entries: Sequence[LedgerEntry], policy: Policy) -> datetime | None:
    """When the next automatic healing may start: `retry_hours` after any decision, and after the cooldown."""
    retry = timedelta(hours=policy.retraining.retry_hours)
    moments = [entry.decision.decided_at + retry for entry in entries if entry.decision]
    cooldown = cooldown_ends(entries, policy)
    return max([*moments, *([cooldown] if cooldown else [])], default=None)


def sweep(stores: Stores, executions: Executions, now: datetime) -> list[Decision]:
    """Write `failed` for every healing that ended without a decision, and settle moves that were interrupted.

    Raises:
        StoreUnavailable: the registry or Step Functions doesn't answer.
    """
    lost = lost_healings(stores, executions, now)
    return [stores.ledger.append_decision(decision).decision or decision for decision in lost]


def lost_healings(stores: Stores, executions: Executions, now: datetime) -> list[Decision]:
    """What the ledger lacks of healings that ended without a decision; moves that were interrupted are settled before.

    Executions that are aborted or time out as a whole bypass the state machine's own Catch.

    Raises:
        StoreUnavailable: the registry or Step Functions doesn't answer.
    """
    # Listed before the ledger is read: a healing writes its decision before it ends.
    ended = [execution for execution in executions.recent() if execution.status != "RUNNING"]
    settle_interrupted(stores, now)
    known = {decision.execution for decision in stores.ledger.decisions()}
    return [_lost(execution, now) for execution in ended if execution.name not in known]


def _lost(execution: Execution, now: datetime) -> Decision:
    return Decision(
        decision_id=execution.name,
        kind="failed",
        decided_at=now,
        version=None,
        previous_version=healed_version(execution.name) or None,
        reason=f"the healing ended as {execution.status} without a decision",
        trigger="unknown",
        actor="sweep",
        execution=execution.name,
    )
