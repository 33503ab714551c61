"""Time: score, predictions, positive rate and coverage on one axis, with alarms and moves of production."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from selfheal.records.monitoring import Estimate, TimelinePoint
from selfheal.records.story import Story
from selfheal_tools.console.pages.metrics import headlines, metric_name
from selfheal_tools.console.runs import Run


@dataclass(frozen=True, slots=True)
class Curve:
    """One figure over the runs; low and high: its 95 % interval where it has one. share: whether it is written in %."""

    name: str
    points: tuple[tuple[datetime, float], ...]
    band: tuple[tuple[datetime, float, float], ...] = ()
    share: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """When another version began to answer."""

    moment: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Axis:
    """What is drawn over [first, last]. alarms: [start, end] in which one was on; runs: newest first, each a link."""

    first: datetime
    last: datetime
    curves: tuple[Curve, ...]
    alarms: tuple[tuple[datetime, datetime], ...] = ()
    moves: tuple[Move, ...] = ()
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class TimePage:
    """All of the page."""

    days: int
    axis: Axis


def time_page(runs: Sequence[Run], story: Story, now: datetime, days: int) -> TimePage:
    """The page of the last days; `runs` oldest first."""
    first = max(now - timedelta(days=days), min((run.timestamp for run in runs), default=now - timedelta(days=days)))
    curves = [_metric(name, runs) for name in headlines(name for run in runs for name in run.metrics)]
    curves += [
        _curve("Predictions", runs, lambda run: float(run.predictions)),
        _curve("Positive rate", runs, lambda run: run.positive_rate, share=True),
        _curve("Label coverage", runs, lambda run: run.coverage, share=True),
    ]
    axis = Axis(
        first=first,
        last=now,
        curves=tuple(curve for curve in curves if curve.points),
        alarms=tuple(_alarms(runs)),
        moves=tuple(_moves(story, first)),
        runs=tuple(reversed(runs)),
    )
    return TimePage(days, axis)


def score_axis(timeline: Sequence[TimelinePoint], story: Story) -> Axis | None:
    """The Brier score that the last run's summary carries along; None where two points of it aren't there."""
    known = [(point.timestamp, point.brier) for point in timeline if point.brier is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    band = tuple(
        (point.timestamp, point.brier_low, point.brier_high)
        for point in timeline
        if point.brier_low is not None and point.brier_high is not None
    )
    moves = [move for move in _moves(story, known[0][0]) if move.moment <= known[-1][0]]
    return Axis(known[0][0], known[-1][0], (Curve("Brier score", tuple(known), band),), moves=tuple(moves))


def _metric(name: str, runs: Sequence[Run]) -> Curve:
    known = [(run.timestamp, run.metrics[name]) for run in runs if name in run.metrics]
    return Curve(
        metric_name(name),
        tuple((when, estimate.value) for when, estimate in known if estimate.value is not None),
        tuple((when, low, high) for when, estimate in known for low, high in _interval(estimate)),
    )


def _interval(estimate: Estimate) -> list[tuple[float, float]]:
    return [] if estimate.low is None or estimate.high is None else [(estimate.low, estimate.high)]


def _curve(name: str, runs: Sequence[Run], of: Callable[[Run], float | None], *, share: bool = False) -> Curve:
    values = [(run.timestamp, of(run)) for run in runs]
    return Curve(name, tuple((when, value) for when, value in values if value is not None), share=share)


def _alarms(runs: Sequence[Run]) -> list[tuple[datetime, datetime]]:
    """From each run that found an alarm on until the next one."""
    spans = [(run.timestamp, after.timestamp) for run, after in pairwise(runs) if run.alarmed]
    merged: list[tuple[datetime, datetime]] = []
    for start, end in spans:
        if merged and merged[-1][1] == start:
            merged[-1] = merged[-1][0], end
        else:
            merged.append((start, end))
    return merged


def _moves(story: Story, since: datetime) -> list[Move]:
    moved = [decision for decision in story.decisions if decision.is_move and decision.decided_at >= since]
    done = [(decision, story.outcome_of(decision)) for decision in moved]
    return [
        Move(decision.decided_at, f"{decision.kind}: {decision.version}")
        for decision, outcome in done
        if outcome is None or outcome.kind == "done"
    ]
