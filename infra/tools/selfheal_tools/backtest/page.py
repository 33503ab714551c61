"""A backtest as one self-contained HTML page, its verdict in the first sentence; in the look of the runs' reports."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from statistics import fmean

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from selfheal_tools.backtest.curves import Line, curves
from selfheal_tools.backtest.records import Backtest, MetricName, Metrics, Period, PolicyResult, Refusal
from selfheal_tools.backtest.words import MEAN_LOSSES, WORDS, drawn, in_order, mean_loss

MEANINGS = {
    "healed": "monitoring, training and gates as deployed",
    "frozen": "the first version for ever",
    "always": "retrained each period on everything known, promoted blindly",
    "always_held_out": "as always, with the rows held back on which a healing would judge",
    "seed-gates": "retrained each period, promoted where six gates find point estimates better",
    "random": "as many promotions as healed at random times, promoted blindly; the mean of many schedules",
    "oracle": "for each period the best version in hindsight: a bound, not a policy",
}
# Shown at first; the others wait for their box to be ticked.
SHOWN = {"healed", "frozen", "always_held_out", "oracle"}
# Each has a colour and a dash of its own in the page's styles; others share what is left.
STYLES = ("healed", "frozen", "oracle", "always", "always_held_out", "seed-gates", "random")
OTHER_STYLES = 3
# From this share of the gap on the page is coloured as good news.
GOOD_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Blocked:
    """What a gate kept out. alone: by no other gate. right: versions that would have been worse than production.

    gain: mean of what the refused versions would have gained in mean loss, None where none was measured.
    """

    gate: str
    times: int
    alone: int
    measured: int
    right: int
    gain: float | None


def render_page(backtest: Backtest) -> str:
    """The page as HTML, to be written in UTF-8; it loads nothing."""
    lines = lines_of(backtest)
    judged = [line for line in lines if line.result.refusals and line.name in {"healed", "seed-gates"}]
    known = lines[0].result.metrics
    shown, loss = in_order(known), mean_loss(known)
    return _template().render(
        backtest=backtest,
        tone=_tone(backtest),
        lines=lines,
        ranked=sorted(lines, key=lambda line: line.result.of(loss)),
        charts=drawn(known),
        shown=shown,
        words=WORDS,
        loss=MEAN_LOSSES[loss],
        occurrences=_occurrences(backtest.periods),
        curves=curves,
        by_period={line.name: {of.period: of.metrics[shown[0]] for of in line.result.per_period} for line in lines},
        blocked=[(line, blocked_by_gate(line.result.refusals)) for line in judged],
        healed=backtest.policies.get("healed"),
        has_gap={"frozen", "oracle"} <= backtest.policies.keys(),
    )


def lines_of(backtest: Backtest) -> list[Line]:
    """The policies in the order of the file, each with its style."""
    free = _free_styles()
    styles = {name: name if name in STYLES else next(free) for name in backtest.policies}
    shown = SHOWN & backtest.policies.keys() or backtest.policies.keys()
    return [
        Line(name, _meaning(name), styles[name], name in shown, result) for name, result in backtest.policies.items()
    ]


def blocked_by_gate(refusals: Sequence[Refusal]) -> list[Blocked]:
    """The gates that kept versions out, the one that did most often first."""
    times = Counter(gate for refusal in refusals for gate in refusal.gates)
    return [_blocked(gate, [r for r in refusals if gate in r.gates]) for gate, _ in times.most_common()]


def _blocked(gate: str, refusals: list[Refusal]) -> Blocked:
    gains = [refusal.gain for refusal in refusals if refusal.gain is not None]
    return Blocked(
        gate=gate,
        times=len(refusals),
        alone=sum(len(refusal.gates) == 1 for refusal in refusals),
        measured=len(gains),
        right=sum(gain <= 0 for gain in gains),
        gain=fmean(gains) if gains else None,
    )


def _free_styles() -> Iterator[str]:
    number = 0
    while True:
        yield f"other-{number % OTHER_STYLES}"
        number += 1


def _meaning(name: str) -> str:
    if name.startswith("periodic-"):
        return f"retrained every {name.removeprefix('periodic-')} periods on everything known, promoted blindly"
    return MEANINGS.get(name, "")


def _tone(backtest: Backtest) -> str:
    healed, frozen = backtest.policies.get("healed"), backtest.policies.get("frozen")
    if healed is None or frozen is None:
        return "unsure"
    loss = mean_loss(healed.metrics)
    if healed.harmful_promotions or healed.of(loss) > frozen.of(loss):
        return "drift"
    return "calm" if healed.regained is None or healed.regained >= GOOD_SHARE else "unsure"


@cache
def _template() -> Template:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("selfheal_tools.backtest", ""), PackageLoader("selfheal.report", "")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "metric": _metric,
        "signed": _signed,
        "share": _share,
        "count": _count,
        "interval": _interval,
        "gate": _gate,
        "duration": _duration,
        "on": _on,
    }
    environment.filters |= filters
    return environment.get_template("page.html.j2")


def _signed(value: float | None) -> str:
    return "not known" if value is None else f"{value:+.4f}"


def _on(moment: datetime | None) -> str:
    return "" if moment is None else f" on {moment:%d %b %Y, %H:%M} UTC"


def _share(value: float) -> str:
    return f"{value:.0%}"


def _count(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def _metric(value: float | None, name: MetricName) -> str:
    return "none" if value is None else WORDS[name].rounded(value, 4)


def _interval(metrics: Metrics | PolicyResult, name: MetricName) -> Markup:
    value = Markup("{}").format(_metric(metrics.metrics[name], name))
    if name not in metrics.intervals:
        return value
    ends = (WORDS[name].rounded(end, 3) for end in metrics.intervals[name])
    return value + Markup('<br><span class="soft">{} to {}</span>').format(*ends)


def _occurrences(periods: Sequence[Period]) -> tuple[str, dict[int, str]]:
    """A column on what labels each period had: its heading, and a text for each; of positives, classes or numbers."""
    if any(period.mean is not None for period in periods):
        return "Mean", {period.number: f"{period.mean:.4g}" for period in periods if period.mean is not None}
    if any(period.classes for period in periods):
        known = {period.number: period.classes for period in periods if period.classes}
        return "Commonest", {number: _commonest(counts) for number, counts in known.items()}
    return "Positive", {
        period.number: _share(period.positives / period.rows) for period in periods if period.positives is not None
    }


def _commonest(counts: Mapping[str, int]) -> str:
    name = max(counts, key=counts.__getitem__)
    return f"{name}, {_share(counts[name] / sum(counts.values()))}"


def _gate(name: str) -> str:
    return name.replace("_", " ")


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"  # noqa: PLR2004 - two digits either way
