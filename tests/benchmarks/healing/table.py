"""The results as tables for the documentation, each put between two markers."""

from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean

from selfheal.gates.judging import GATES
from selfheal_tools.backtest.records import MetricName
from selfheal_tools.backtest.words import WORDS, in_order
from tests.benchmarks.healing.bars import bars
from tests.benchmarks.healing.histories import DRIFTING
from tests.benchmarks.healing.jobs import CURVE, POLICIES
from tests.benchmarks.healing.outcomes import Outcome, Refused
from tests.benchmarks.healing.results import Figures, Replays, figures, outcomes, pooled

FILES = (Path("docs/backtest.md"), Path("README.md"))
# The ends of the scale have no share of it, and no promotions that anybody chose.
ENDS = ("frozen", "oracle")
# Of the metrics of another kind of target, so many are told.
TOLD = 2


def write(replays: Replays) -> list[Path]:
    """Put each table between its markers, in every file that has them; returns which files."""
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        for name, table in TABLES.items():
            text = _between(f"<!-- {name}: begin -->", f"<!-- {name}: end -->", text, table(replays))
        file.write_text(text, encoding="utf-8")
    return list(FILES)


def _between(begin: str, end: str, text: str, table: str) -> str:
    before, found, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}" if found else text


def comparison(replays: Replays) -> str:
    """Brier score, share regained; promotions (harmful ones): means over the replays of each history; pooled last."""
    compared = {job: found for job, found in replays.items() if job.is_compared}
    histories = list(dict.fromkeys(job.dataset for job in compared))
    lines = ["| policy | " + " | ".join([*histories, "pooled"]) + " |", "|---" * (len(histories) + 2) + "|"]
    for name in POLICIES:
        cells = [_cell(name, outcomes(compared, history, name)) for history in histories]
        lines.append(f"| {name} | " + " | ".join([*cells, _pooled_cell(name, pooled(compared, name))]) + " |")
    return "\n".join(lines)


def other_kinds(replays: Replays) -> str:
    """What tells most of each history of another kind, share regained, promotions (harmful): means over its replays."""
    found = {job: outcomes for job, outcomes in replays.items() if job.is_of_another_kind}
    histories = list(dict.fromkeys(job.dataset for job in found))
    lines = ["| policy | " + " | ".join(histories) + " |", "|---" * (len(histories) + 1) + "|"]
    for name in POLICIES:
        cells = [_cell_of_metrics(name, outcomes(found, history, name)) for history in histories]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell_of_metrics(name: str, found: list[Outcome]) -> str:
    if not found:
        return ""
    known = in_order(found[0].metrics)[:TOLD]
    told = (f"{WORDS[one].title} {_mean(found, one)}" for one in known)
    regained = figures(found)["regained"]
    share = "" if regained is None or name in ENDS else f", {regained:.0%}"
    promoted, harmful = (fmean(getattr(one, count) for one in found) for count in ("promotions", "harmful"))
    return f"{', '.join(told)}{share}" + ("" if name in ENDS else f"; {promoted:.3g} ({harmful:.2g})")


def _mean(found: list[Outcome], metric: MetricName) -> str:
    values = [value for value in (one.metrics[metric] for one in found) if value is not None]
    return WORDS[metric].shown(fmean(values) if values else None)


def curve(replays: Replays) -> str:
    """The rule of the gates at other significances, pooled."""
    compared = {job: found for job, found in replays.items() if job.is_compared}
    lines = ["| significance | regained | promotions | harmful |", "|---" * 4 + "|"]
    for size in CURVE:
        found = pooled(compared, f"blend at {size}")
        share = "" if found["regained"] is None else f"{found['regained']:.1%}"
        lines.append(f"| {size} | {share} | {found['promotions']:g} | {_share(found)} |")
    return "\n".join(lines)


def refusals(replays: Replays) -> str:
    """How often each gate refused on the drifting histories, and what its refusals cost where it alone did."""
    compared = {job: found for job, found in replays.items() if job.is_compared}
    healed = [one for history in DRIFTING for one in outcomes(compared, history, "healed")]
    refused = [refusal for outcome in healed for refusal in outcome.refusals]
    lines = ["| gate | refusals | it alone | of these better on the rows that followed | their mean gain |"]
    return "\n".join([*lines, "|---" * 5 + "|", *(_refused_by(gate, refused) for gate in GATES)])


def _refused_by(gate: str, refused: list[Refused]) -> str:
    alone = [one for one in refused if one.gates == (gate,)]
    gains = [one.gain for one in alone if one.gain is not None]
    cost = f"{sum(gain > 0 for gain in gains)} of {len(gains)} | {fmean(gains):+.4f}" if gains else "|"
    return f"| {gate} | {sum(gate in one.gates for one in refused)} | {len(alone)} | {cost} |"


def held(replays: Replays) -> str:
    """What the project has set itself, what was found, and whether it holds."""
    said = {True: "holds", False: "missed", None: ""}
    lines = ["| what must hold | found | |", "|---" * 3 + "|"]
    return "\n".join([*lines, *(f"| {bar.name} | {bar.found} | {said[bar.holds]} |" for bar in bars(replays))])


TABLES: Mapping[str, Callable[[Replays], str]] = {
    "healing": comparison,
    "kinds": other_kinds,
    "curve": curve,
    "refusals": refusals,
    "bars": held,
}


def shown(replays: Replays) -> str:
    """The tables and the bars, for a terminal."""
    known = bars(replays)
    width = max(len(bar.name) for bar in known)
    mark = {True: "pass", False: "FAIL", None: "    "}
    lines = [f"{mark[bar.holds]}  {bar.name:{width}}  {bar.found}" for bar in known]
    tables = (table(replays) for name, table in TABLES.items() if name != "bars")
    return "\n".join([*(f"{table}\n" for table in tables), *lines])


def _cell(name: str, found: list[Outcome]) -> str:
    line = figures(found)
    if line["loss"] is None:
        return ""
    if name in ENDS:
        return f"{line['loss']:.4f}"
    spread = "" if line["spread"] is None else f" ± {line['spread']:.0%}"
    regained = "" if line["regained"] is None else f", {line['regained']:.0%}{spread}"
    promoted, harmful = (fmean(getattr(one, count) for one in found) for count in ("promotions", "harmful"))
    return f"{line['loss']:.4f}{regained}; {promoted:.3g} ({harmful:.2g})"


def _pooled_cell(name: str, found: Figures) -> str:
    if name in ENDS or found["regained"] is None:
        return ""
    return f"{found['regained']:.1%}; {found['promotions']:g} ({_share(found)})"


def _share(found: Figures) -> str:
    promotions, harmful = found["promotions"], found["harmful"]
    return f"{harmful / promotions:.1%}" if promotions and harmful is not None else "-"
