"""Now: how the service is, what answers, and what can be done."""

from dataclasses import dataclass

from selfheal.records.monitoring import DriftSummary
from selfheal_tools.console.pages.decisions import Line, lines_of
from selfheal_tools.console.pages.metrics import headlines, metric_name
from selfheal_tools.console.pages.state import STEPS, State, state_of, step_of
from selfheal_tools.console.pages.time import Axis, score_axis
from selfheal_tools.console.situation import Situation
from selfheal_tools.console.words import capital, counted, interval, moment, number, share, span

NEWEST_DECISIONS = 5


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the table: what, its value, and what it is held against; link: where there is more."""

    name: str
    value: str
    beside: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the healing; state: done, now or next."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class NowPage:
    """All of the page."""

    state: State
    facts: tuple[Fact, ...]
    steps: tuple[Step, ...]
    execution: str
    score: Axis | None
    newest: tuple[Line, ...]


def now_page(found: Situation) -> NowPage:
    """The page of a moment."""
    return NowPage(
        state=state_of(found),
        facts=tuple(_facts(found)),
        steps=_steps(found),
        execution=found.healing.execution if found.healing else "",
        score=score_axis(found.summary.timeline, found.story) if found.summary else None,
        newest=lines_of(found.story, newest_first=True)[:NEWEST_DECISIONS],
    )


def _facts(found: Situation) -> list[Fact]:
    if found.production is None or found.manifest is None:
        return []
    production, summary = found.production, found.summary
    age = span(found.now - production.promoted_at)
    facts = [
        Fact("Answers", production.version, f"in production for {age}", f"/versions/{production.version}"),
        Fact("Before it", production.previous_version or "nothing"),
    ]
    if summary is not None:
        facts += _of_run(summary)
        since = span(found.now - summary.timestamp)
        facts.append(Fact("Last run", moment(summary.timestamp), f"{since} ago", "/time"))
    return [*facts, Fact("Next healing", _next_start(found))]


def _of_run(summary: DriftSummary) -> list[Fact]:
    window, metrics = summary.proxy[-1] if summary.proxy else None, summary.performance
    facts = []
    if window is not None:
        usual = f"usually {number(summary.usual_predictions)}" if summary.usual_predictions else ""
        facts.append(
            Fact("Traffic", f"{counted(window.num_predictions, 'prediction')} in {window.hours:g} hours", usual)
        )
        if window.positive_rate is not None:
            facts.append(Fact("Positive", share(window.positive_rate), "of these predictions"))
    coverage = summary.coverage
    labelled = f"{coverage.labelled:,} of {coverage.predictions:,} recent predictions are labelled"
    facts.append(Fact("Coverage", share(coverage.coverage), labelled, "/labels"))
    if metrics is not None and summary.decay.brier is not None:
        facts.append(_score(summary))
    others = {name: found for name, found in (metrics.metrics if metrics else {}).items() if name != "brier"}
    facts += [Fact(metric_name(name), interval(others[name]), "", "/time") for name in headlines(others)]
    if metrics is None:
        facts.append(Fact("Score", "unknown", "no label of its own answers has come yet"))
    return facts


def _score(summary: DriftSummary) -> Fact:
    """The mean loss of recent labelled rows against what the version promised; of a probability with its interval."""
    decay, known = summary.decay, summary.performance.metrics if summary.performance else {}
    said = interval(known["brier"]) if "brier" in known else number(decay.brier)
    promised = f"promised {decay.promised_brier:.3f}, " if decay.promised_brier is not None else ""
    return Fact(capital(decay.score), said, f"{promised}lower is better", "/time")


def _next_start(found: Situation) -> str:
    """When a healing may start by itself."""
    if found.story.pause is not None:
        return "not while automatic promotion is paused"
    if found.healing is not None:
        return "one is under way"
    allowed = found.story.next_start_allowed(found.manifest.contract.policy) if found.manifest else None
    if allowed is None or allowed <= found.now:
        return "as soon as monitoring sees cause"
    return f"not before {moment(allowed)}, in {span(allowed - found.now)}"


def _steps(found: Situation) -> tuple[Step, ...]:
    if found.healing is None:
        return ()
    at = step_of(found.healing)
    return tuple(
        Step(name, "done" if place < at else "now" if place == at else "next") for place, name in enumerate(STEPS)
    )
