"""Start a healing, and account for those that ended without saying how."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from selfheal.contract.model import Policy
from selfheal.errors import HealingRefused
from selfheal.healing.sentences import sentence_of
from selfheal.records.healing import Healing, Trigger
from selfheal.records.ledger import Decision, LedgerEntry
from selfheal.records.predictions import new_request_id
from selfheal.stores.collection import Stores
from selfheal.stores.executions import Execution, Executions
from selfheal.stores.notifications import Notifications
from selfheal.usecases.moves import carried_out, open_moves, outcome_of
from selfheal.usecases.pause import pause_in_force, pause_sentence

# The kinds of decision that change which model answers, and therefore start a cooldown.
MOVES = frozenset({"promote", "rollback"})

# The actor of decisions about healings that made none.
SWEEP = "sweep"
INTERRUPTED = "selfheal: what had been interrupted was finished or ended"
LOST = "selfheal: a healing ended without a decision"
UNHEARD = "selfheal: what a healing decided that ended before it had told it"


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
        production_decision=production.pointer.decision_id,
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


def sweep(
    stores: Stores, executions: Executions, now: datetime, notifications: Notifications | None = None
) -> list[Decision]:
    """Finish or end every move that was interrupted; write `failed` for every healing that ended without a decision.

    People are told before it is written down: what can't be sent now is sent by the next run. Executions that are
    aborted or time out as a whole bypass the state machine's own Catch. Returns the decisions written.

    Raises:
        StoreUnavailable: the registry, Step Functions or the topic doesn't answer.
    """
    # Listed before the ledger is read: a healing writes its decision before it ends.
    ended = [execution for execution in executions.recent() if execution.status != "RUNNING"]
    for move in open_moves(list(stores.ledger.entries()), now):
        outcome = carried_out(stores, move, now)
        if notifications:
            notifications.send(INTERRUPTED, sentence_of(move, outcome))
        stores.ledger.append_outcome(outcome)
    known = {decision.execution for decision in stores.ledger.decisions()}
    lost = [_lost(execution, now) for execution in ended if execution.name not in known]
    for decision in lost:
        if notifications:
            notifications.send(LOST, sentence_of(decision))
        stores.ledger.append_decision(decision)
    return lost


def tell_of_failed(
    stores: Stores, executions: Executions, notifications: Notifications, now: datetime, told: Collection[str] | None
) -> tuple[str, ...]:
    """Tell what became of healings that had decided, but failed before they had told it; before each `sweep`.

    `told` names the healings that people have heard of, None where nobody has kept account yet; returned is who has to
    be on that list afterwards. What `sweep` tells is left to it.

    Raises:
        StoreUnavailable: the registry, Step Functions or the topic doesn't answer.
    """
    failed = [execution.name for execution in executions.recent() if execution.status not in {"RUNNING", "SUCCEEDED"}]
    if told is None:
        return tuple(failed)
    entries = list(stores.ledger.entries())
    return tuple(name for name in failed if name in told or _is_told(entries, notifications, now, name))


def _is_told(entries: Sequence[LedgerEntry], notifications: Notifications, now: datetime, execution: str) -> bool:
    """Whether people know what became of a failed healing, or hear it in this run; False while it isn't known."""
    decisions = (entry.decision for entry in reversed(entries) if entry.decision)
    decision = next((known for known in decisions if known.execution == execution), None)
    if decision is None or decision.actor == SWEEP or decision in open_moves(entries, now):
        return True
    outcome = outcome_of(entries, decision.decision_id)
    if decision.is_move and outcome is None:
        return False
    notifications.send(UNHEARD, sentence_of(decision, outcome))
    return True


def _lost(execution: Execution, now: datetime) -> Decision:
    return Decision(
        decision_id=execution.name,
        kind="failed",
        decided_at=now,
        version=None,
        previous_version=healed_version(execution.name) or None,
        reason=f"the healing ended as {execution.status} without a decision",
        trigger="unknown",
        actor=SWEEP,
        execution=execution.name,
    )
