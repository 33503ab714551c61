"""How the service is, in one sentence, and what a person should do about it."""

from dataclasses import dataclass
from typing import Literal

from selfheal.records.monitoring import DriftSummary
from selfheal.usecases.registry.pause import pause_sentence
from selfheal_tools.console.situation import HealingUnderWay, Situation
from selfheal_tools.console.words import capital, moment

Tone = Literal["calm", "drift", "fault", "unsure"]
# What the states of the state machine mean to a person, in their order.
STEPS = ("training", "waiting for labels", "judging by seven gates", "deciding")
STEP_OF = {
    "Begin": 0,
    "TrainShadow": 0,
    "IsTrained": 0,
    "LookForLabels": 1,
    "AreLabelsIn": 1,
    "WaitForLabels": 1,
    "CountLook": 1,
    "EvaluateGates": 2,
    "IsApprovalNeeded": 2,
    "AskForApproval": 3,
}
ASKS = "AskForApproval"


@dataclass(frozen=True, slots=True)
class State:
    """kind: one word. sentence: how the service is. details: what is behind it. action: what to do."""

    kind: str
    tone: Tone
    sentence: str
    details: tuple[str, ...]
    action: str


def state_of(found: Situation) -> State:
    """The one thing to know first: no model, paused, broken pipeline, a question, a healing, drift, or well."""
    if found.production is None:
        return State(
            "empty", "unsure", "There is no model yet.", (), "Run `selfheal bootstrap` to train the first one."
        )
    if found.story.pause is not None:
        sentence = f"{capital(pause_sentence(found.story.pause.switch))}."
        return State(
            "paused",
            "unsure",
            sentence,
            _last_run(found),
            "Resume once the reason is gone: no healing starts meanwhile.",
        )
    if found.summary is not None and found.summary.verdict == "pipeline_fault":
        return State("broken", "fault", found.summary.sentence, _findings(found), found.summary.action)
    if found.healing is not None:
        return _healing(found, found.healing)
    return _by_last_run(found)


def _healing(found: Situation, healing: HealingUnderWay) -> State:
    version = healing.version or "the shadow model"
    if healing.state == ASKS:
        return State(
            "asks",
            "drift",
            f"{capital(version)} has passed every gate and waits for your approval.",
            _last_run(found),
            "Approve it or refuse it; without an answer in time it is refused.",
        )
    step = STEPS[step_of(healing)]
    return State(
        "healing",
        "drift",
        f"A healing is under way: {step}.",
        (*_progress(healing), *_last_run(found)),
        "Nothing: the gates decide, and you will see what they decided.",
    )


def _progress(healing: HealingUnderWay) -> tuple[str, ...]:
    """How far the step has come, where that is known."""
    at = step_of(healing)
    if at == 0 and healing.training:
        return (capital(f"{healing.training}."),)
    return (capital(f"{healing.labels.reason}."),) if at == 1 and healing.labels else ()


def step_of(healing: HealingUnderWay) -> int:
    """The position in `STEPS` at which a healing is."""
    return STEP_OF.get(healing.state, len(STEPS) - 1)


def _by_last_run(found: Situation) -> State:
    summary = found.summary
    if summary is None:
        return State(
            "unsure",
            "unsure",
            "The model answers; no monitoring run has judged it yet.",
            (),
            "Nothing: runs are scheduled.",
        )
    if summary.alarm.since is not None:
        details = (f"The alarm began {moment(summary.alarm.since)}.", *_findings(found))
        return State("drifting", "drift", summary.sentence, (*details, _about_healing(summary)), summary.action)
    if summary.verdict == "not_enough_data":
        return State("unsure", "unsure", summary.sentence, _findings(found), summary.action)
    return State("well", "calm", summary.sentence, _findings(found), summary.action)


def _about_healing(summary: DriftSummary) -> str:
    healing = summary.healing
    if healing.started:
        return f"Healing {healing.execution} was started: {healing.reason}."
    return f"No healing was started: {healing.reason}."


def _last_run(found: Situation) -> tuple[str, ...]:
    return (f"The last run: {found.summary.sentence}",) if found.summary else ()


def _findings(found: Situation) -> tuple[str, ...]:
    return (
        tuple(capital(f"{finding.message}.".replace("..", ".")) for finding in found.summary.findings)
        if found.summary
        else ()
    )
