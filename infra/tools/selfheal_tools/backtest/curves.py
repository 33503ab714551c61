"""Curves of several policies over the periods, with what healing decided marked on its own curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from selfheal.report.charts import BOTTOM, Frame, axes, drawing, path, upright
from selfheal_tools.backtest.records import Backtest, MetricName, Move, Period, PolicyResult, Refusal
from selfheal_tools.backtest.words import WORDS

HEIGHT, LEFT = 300, 64


@dataclass(frozen=True, slots=True)
class Line:
    """A policy as the page shows it. style: the class of its line, without the `line-` before it."""

    name: str
    meaning: str
    style: str
    shown: bool
    result: PolicyResult


def curves(backtest: Backtest, lines: Sequence[Line], metric: MetricName, said: str) -> Markup:
    """One metric of each policy over the periods; empty where there are no two points to join."""
    places = {line.name: _places(line.result, metric) for line in lines}
    everything = [place for of_line in places.values() for place in of_line]
    if len({x for x, _ in everything}) < 2:  # noqa: PLR2004 - a line needs two points
        return Markup("")
    frame = Frame.around(everything, height=HEIGHT, left=LEFT)
    # What is drawn last lies on top, and healing is what the page is about.
    ordered = sorted(lines, key=lambda line: line.name == "healed")
    drawn = Markup("").join(
        Markup('<path class="line line-{}" d="{}"/>').format(
            line.style, path([frame.at(*p) for p in places[line.name]])
        )
        for line in ordered
    )
    healed = backtest.policies.get("healed")
    marks = _marks(frame, healed, backtest.periods, dict(places["healed"])) if healed else Markup("")
    first, last = backtest.periods[0], backtest.periods[-1]
    ends = _end(first, first.start), _end(last, last.end)
    return drawing(frame, _told(metric, said, lines, places), axes(frame, ends) + drawn + marks)


def _end(period: Period, moment: datetime | None) -> str:
    return f"period {period.number}" if moment is None else f"{moment:%d %b %Y}"


def _places(result: PolicyResult, metric: MetricName) -> list[tuple[float, float]]:
    found = [(float(of.period), of.metrics[metric]) for of in result.per_period]
    return [(x, value) for x, value in found if value is not None]


def _told(metric: MetricName, said: str, lines: Sequence[Line], places: dict[str, list[tuple[float, float]]]) -> str:
    ends = [
        f"{line.name} from {' to '.join(WORDS[metric].rounded(places[line.name][end][1], 3) for end in (0, -1))}"
        for line in lines
        if places[line.name]
    ]
    return f"{said} in each period: {'; '.join(ends)}"


def _marks(frame: Frame, healed: PolicyResult, periods: Sequence[Period], curve: dict[float, float]) -> Markup:
    moves = Markup("").join(_move(frame, move, _moment(move, periods), curve) for move in healed.moves)
    refusals = Markup("").join(
        _refusal(frame, refusal, _moment(refusal, periods)) for refusal in healed.refusals if refusal.kind == "reject"
    )
    return Markup('<g class="line-healed-marks">{}{}</g>').format(moves, refusals)


def _moment(event: Move | Refusal, periods: Sequence[Period]) -> float:
    """Where an event stands among the periods: period 3 lies around 3, from 2.5 to 3.5."""
    period = next((p for p in periods if p.number == event.period), None)
    if period is None or period.start is None or period.end is None or event.at is None or period.end <= period.start:
        # Without times a decision stands at the end of its period, where labels come.
        return event.period + 0.5
    passed = (event.at - period.start) / (period.end - period.start)
    return event.period - 0.5 + min(1.0, max(0.0, passed))


def _move(frame: Frame, move: Move, moment: float, curve: dict[float, float]) -> Markup:
    x, y = frame.at(*_within(frame, moment, curve))
    verb = "promoted" if move.kind == "promote" else "rolled back to"
    harm = ", harmful" if move.harmful else ""
    gain = "" if move.gain is None else f", gain {move.gain:+.4f}"
    title = f"Period {move.period}: {verb} {move.version}{gain}{harm}. {move.reason}"
    if move.kind == "rollback":
        shape = Markup('<path class="mark back" d="M{:.1f} {:.1f}l7 -12h-14z">').format(x, y + 6)
    elif move.harmful:
        shape = Markup('<path class="mark harm" d="M{:.1f} {:.1f}l12 12m0 -12l-12 12">').format(x - 6, y - 6)
    else:
        shape = Markup('<path class="mark" d="M{:.1f} {:.1f}a6 6 0 1 1 12 0a6 6 0 1 1 -12 0">').format(x - 6, y)
    return upright(frame, min(moment, frame.last)) + shape + Markup("<title>{}</title></path>").format(title)


def _refusal(frame: Frame, refusal: Refusal, moment: float) -> Markup:
    x, _ = frame.at(min(moment, frame.last), frame.low)
    gates = ", ".join(gate.replace("_", " ") for gate in refusal.gates)
    gain = "" if refusal.gain is None else f", would have gained {refusal.gain:+.4f}"
    title = f"Period {refusal.period}: rejected by {gates or refusal.reason}{gain}"
    return Markup('<path class="mark no" d="M{:.1f} {:.1f}l5 5l-5 5l-5 -5z"><title>{}</title></path>').format(
        x, frame.height - BOTTOM - 10, title
    )


def _within(frame: Frame, moment: float, curve: dict[float, float]) -> tuple[float, float]:
    """The point of the curve at a moment, between the two periods around it."""
    x = min(max(moment, frame.first), frame.last)
    before = max((p for p in curve if p <= x), default=min(curve))
    after = min((p for p in curve if p >= x), default=before)
    share = (x - before) / (after - before) if after > before else 0.0
    return x, curve[before] + share * (curve[after] - curve[before])
