"""What an act will do, before it is done; and which acts make sense now."""

from dataclasses import dataclass

from selfheal_tools.console.pages.state import ASKS
from selfheal_tools.console.situation import Situation
from selfheal_tools.console.words import moment


@dataclass(frozen=True, slots=True)
class Offer:
    """An act that is possible now, as a link."""

    name: str
    title: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class ActPage:
    """effects: what it will do, sentence by sentence. refusal: why it can't be done now, '' where it can."""

    name: str
    title: str
    target: str
    effects: tuple[str, ...]
    refusal: str
    is_grave: bool


def offers(found: Situation) -> tuple[Offer, ...]:
    """The acts that make sense now; a promotion by force is offered on the page of its version."""
    if found.production is None:
        return ()
    offered = []
    if found.healing is not None and found.healing.state == ASKS:
        target = found.healing.execution
        offered += [Offer("approve", "Approve the promotion", target), Offer("refuse", "Refuse it", target)]
    if found.story.pause is not None:
        offered.append(Offer("resume", "Resume automatic promotion"))
    elif found.healing is None:
        offered.append(Offer("heal", "Start a healing"))
    if _before(found):
        offered.append(Offer("rollback", "Roll back"))
    if found.story.pause is None:
        offered.append(Offer("pause", "Pause automatic promotion"))
    return tuple(offered)


def act_page(name: str, title: str, target: str, found: Situation) -> ActPage:
    """The page of one act as things stand now."""
    effects, refusal = _EFFECTS[name](found, target)
    return ActPage(name, title, target, effects, refusal, is_grave=name in {"rollback", "promote"})


type Said = tuple[tuple[str, ...], str]


def _heal(found: Situation, _: str) -> Said:
    effects = (
        f"A shadow model is trained beside {_production(found)}; no request is answered by it.",
        "It waits for enough labels, and the seven gates judge it as always: it is promoted only if all of them pass.",
        _approval(found),
    )
    if found.story.pause is not None:
        return effects, "Automatic promotion is paused: resume it first."
    return effects, f"Healing {found.healing.execution} is under way." if found.healing else ""


def _approve(found: Situation, target: str) -> Said:
    version = (found.healing.version if found.healing else None) or "the shadow model"
    effects = (
        f"{version} replaces {_production(found)} in production; requests are answered by it within seconds.",
        "Its probation begins: where labels show that it is worse, the version before it comes back by itself.",
    )
    return effects, _unasked(found, target)


def _refuse(found: Situation, target: str) -> Said:
    version = (found.healing.version if found.healing else None) or "the shadow model"
    return (f"{version} is rejected, and {_production(found)} goes on to answer.",), _unasked(found, target)


def _pause(found: Situation, _: str) -> Said:
    effects = (
        "No healing starts, and none that is under way promotes, until somebody resumes.",
        "Serving, monitoring and rollbacks go on.",
    )
    return effects, "It is paused already." if found.story.pause else ""


def _resume(found: Situation, _: str) -> Said:
    return ("Healings may start and promote again.",), "" if found.story.pause else "It isn't paused."


def _roll_back(found: Situation, target: str) -> Said:
    before = target or _before(found)
    effects = (
        f"{before} answers instead of {_production(found)} within seconds, without any gate.",
        _cooldown(found),
        "People who listen are told.",
    )
    return effects, "" if before else f"{_production(found)} is the first version of its environment: it replaced none."


def _promote(found: Situation, target: str) -> Said:
    effects = (
        f"{target} answers instead of {_production(found)} within seconds, without any of the seven gates.",
        _cooldown(found),
        "The ledger says that it was forced, and by whom; people who listen are told.",
    )
    same = found.production is not None and found.production.version == target
    return effects, f"{target} is in production already." if same else ""


_EFFECTS = {
    "heal": _heal,
    "approve": _approve,
    "refuse": _refuse,
    "pause": _pause,
    "resume": _resume,
    "rollback": _roll_back,
    "promote": _promote,
}


def _production(found: Situation) -> str:
    return found.production.version if found.production else "no model"


def _before(found: Situation) -> str:
    """The version that a rollback leads to; '' where there is none."""
    if found.production is None:
        return ""
    line = found.story.versions_in_line(found.production)
    return line[-2] if len(line) > 1 else ""


def _unasked(found: Situation, target: str) -> str:
    asks = found.healing is not None and found.healing.state == ASKS and target in {"", found.healing.execution}
    return "" if asks else "No healing waits for an answer now."


def _approval(found: Situation) -> str:
    hours = found.manifest.contract.policy.promotion.approval_hours if found.manifest else 0.0
    return (
        f"You are asked before it is promoted, for {hours:g} hours."
        if hours
        else "Nobody is asked before it is promoted."
    )


def _cooldown(found: Situation) -> str:
    days = found.manifest.contract.policy.gates.cooldown_days if found.manifest else 0.0
    if not days:
        return "No cooldown follows: the contract has none."
    allowed = found.story.next_start_allowed(found.manifest.contract.policy) if found.manifest else None
    until = f" (now {moment(allowed)})" if allowed and allowed > found.now else ""
    return f"A cooldown of {days:g} days begins, in which no healing promotes{until}."
