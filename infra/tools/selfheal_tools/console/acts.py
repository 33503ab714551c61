"""What a person may do from the console: the same use cases as the commands, recorded with name and reason."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from selfheal.records.healing import Trigger
from selfheal.records.ledger import Approval
from selfheal.usecases.heal.lifecycle import start_healing, sweep
from selfheal.usecases.registry.pause import pause, pause_sentence, resume
from selfheal.usecases.registry.promote import force_promotion
from selfheal.usecases.registry.roll_back import roll_back
from selfheal_tools.environment import Environment


@dataclass(frozen=True, slots=True)
class Command:
    """Who wants what, when and why. target: a version, or the healing that is answered; '' where there is none."""

    actor: str
    reason: str
    target: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Act:
    """One act. `carry_out` returns the sentence that says what came of it; moves: whether production may change."""

    title: str
    carry_out: Callable[[Environment, Command], str]
    moves: bool = False


def _heal(environment: Environment, command: Command) -> str:
    stores, executions = environment.stores, environment.executions
    story = sweep(stores, executions, command.now, environment.notifications)
    trigger = Trigger(kind="manual", reason=command.reason)
    healing = start_healing(stores, executions, story, trigger, command.now)
    return f"Healing {healing.execution} has started; its decision will stand among the decisions."


def _answer(environment: Environment, command: Command, *, approved: bool) -> str:
    approval = Approval(approved=approved, by=command.actor, reason=command.reason)
    answered = environment.approvals.answer(command.target or None, approval)
    return f"Healing {answered} goes on; its decision will stand among the decisions."


def _approve(environment: Environment, command: Command) -> str:
    return _answer(environment, command, approved=True)


def _refuse(environment: Environment, command: Command) -> str:
    return _answer(environment, command, approved=False)


def _pause(environment: Environment, command: Command) -> str:
    begun = pause(environment.stores, reason=command.reason, actor=command.actor, now=command.now)
    return pause_sentence(begun)


def _resume(environment: Environment, command: Command) -> str:
    ended = resume(environment.stores, reason=command.reason, actor=command.actor, now=command.now)
    return "Automatic promotion is on." if ended else "Automatic promotion was on already."


def _roll_back(environment: Environment, command: Command) -> str:
    said: list[str] = []
    roll_back(
        environment.stores,
        command.target or None,
        reason=command.reason,
        actor=command.actor,
        now=command.now,
        tell=_heard(environment, said),
    )
    return " ".join(said)


def _promote(environment: Environment, command: Command) -> str:
    said: list[str] = []
    force_promotion(
        environment.stores,
        command.target,
        reason=command.reason,
        actor=command.actor,
        now=command.now,
        tell=_heard(environment, said),
    )
    return " ".join(said)


def _heard(environment: Environment, said: list[str]) -> Callable[[str], None]:
    def tell(sentence: str) -> None:
        said.append(sentence)
        environment.tell(sentence)

    return tell


ACTS = {
    "heal": Act("Start a healing", _heal),
    "approve": Act("Approve the promotion", _approve),
    "refuse": Act("Refuse the promotion", _refuse),
    "pause": Act("Pause automatic promotion", _pause),
    "resume": Act("Resume automatic promotion", _resume),
    "rollback": Act("Roll back", _roll_back, moves=True),
    "promote": Act("Promote without gates", _promote, moves=True),
}
