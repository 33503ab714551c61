"""Start a healing, and account for those that ended without saying how."""

from collections.abc import Collection, Iterable
from datetime import datetime

from selfheal.errors import HealingRefused
from selfheal.healing.sentences import sentence_of
from selfheal.records.healing import Healing, Trigger
from selfheal.records.ledger import Decision
from selfheal.records.predictions import new_request_id
from selfheal.records.story import Story, healed_version
from selfheal.stores.collection import Stores
from selfheal.stores.executions import Execution, Executions
from selfheal.stores.notifications import Notifications
from selfheal.usecases.registry.moves import carried_out
from selfheal.usecases.registry.pause import pause_sentence

# The actor of decisions about healings that made none.
SWEEP = "sweep"
INTERRUPTED = "selfheal: what had been interrupted was finished or ended"
LOST = "selfheal: a healing ended without a decision"
UNHEARD = "selfheal: what a healing decided that ended before it had told it"


def start_healing(stores: Stores, executions: Executions, story: Story, trigger: Trigger, now: datetime) -> Healing:
    """Start a healing of the production model. The name says which attempt it is, so that there is one at a time.

    Raises:
        HealingRefused: one is under way, or a person has paused automatic promotion.
        NoProductionModel: there is nothing to heal.
        StoreUnavailable: the registry or Step Functions doesn't answer.
    """
    production = stores.pointer.read()
    if story.pause is not None:
        raise HealingRefused(f"{pause_sentence(story.pause.switch)}; `selfheal resume` ends the pause")
    healing = Healing(
        execution=f"{production.pointer.version}-{story.attempts(production.pointer.version)}",
        request_id=new_request_id(now),
        started_at=now,
        production_version=production.pointer.version,
        production_decision=production.pointer.decision_id,
        trigger=trigger,
    )
    executions.start(healing)
    return healing


def sweep(stores: Stores, executions: Executions, now: datetime, notifications: Notifications | None = None) -> Story:
    """Account for whatever was interrupted before now; the story after that. As `settle`, which says what it does.

    Raises:
        StoreUnavailable: the registry, Step Functions or the topic doesn't answer.
    """
    # Listed before the ledger is read: a healing writes its decision before it ends.
    executed = executions.recent()
    return settle(stores, stores.ledger.story(), executed, now, notifications)


def settle(
    stores: Stores, story: Story, executed: Iterable[Execution], now: datetime, notifications: Notifications | None
) -> Story:
    """Finish or end every move that was interrupted; write `failed` for every healing that ended without a decision.

    People are told before it is written down: what can't be sent now is sent by the next run. Executions that are
    aborted or time out as a whole bypass the state machine's own Catch. `executed` was listed before the story was
    read. Returns the story with what was written.

    Raises:
        StoreUnavailable: the registry, Step Functions or the topic doesn't answer.
    """
    interrupted = story.unsettled(now)
    for move in interrupted:
        outcome = carried_out(stores, move, now)
        if notifications:
            notifications.send(INTERRUPTED, sentence_of(move, outcome))
        stores.ledger.append_outcome(outcome)
    ended = [execution for execution in executed if execution.status != "RUNNING"]
    lost = [_lost(execution, now) for execution in ended if story.decision_of(execution.name) is None]
    for decision in lost:
        if notifications:
            notifications.send(LOST, sentence_of(decision))
        stores.ledger.append_decision(decision)
    return stores.ledger.story() if interrupted or lost else story


def tell_of_failed(
    story: Story,
    executed: Iterable[Execution],
    notifications: Notifications,
    now: datetime,
    told: Collection[str] | None,
) -> tuple[str, ...]:
    """Tell what became of healings that had decided, but failed before they had told it; before each `settle`.

    `told` names the healings that people have heard of, None where nobody has kept account yet; returned is who has to
    be on that list afterwards. What `settle` tells is left to it.

    Raises:
        StoreUnavailable: the topic doesn't answer.
    """
    failed = [execution.name for execution in executed if execution.status not in {"RUNNING", "SUCCEEDED"}]
    if told is None:
        return tuple(failed)
    return tuple(name for name in failed if name in told or _is_told(story, notifications, now, name))


def _is_told(story: Story, notifications: Notifications, now: datetime, execution: str) -> bool:
    """Whether people know what became of a failed healing, or hear it in this run; False while it isn't known."""
    decision = story.decision_of(execution)
    if decision is None or decision.actor == SWEEP or decision in story.unsettled(now):
        return True
    outcome = story.outcome_of(decision)
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
