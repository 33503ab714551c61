"""The results as tables for the documentation, each put between two markers."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from infra.backtest.records import Backtest, Refusal
from infra.backtest.run import DEFAULT_POLICIES
from selfheal.gates.judging import GATES
from tests.benchmarks.healing.bars import Results, bars, runs_of
from tests.benchmarks.healing.histories import DRIFTING
from tests.benchmarks.healing.replays import RATES

FILES = (Path("docs/backtest.md"), Path("README.md"))


def write(results: Results) -> list[Path]:
    """Put each table between its markers, in every file that has them; returns which files."""
    written = []
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        for name, table in TABLES.items():
            text = _between(f"<!-- {name}: begin -->", f"<!-- {name}: end -->", text, table(results))
        file.write_text(text, encoding="utf-8")
        written.append(file)
    return written


def _between(begin: str, end: str, text: str, table: str) -> str:
    before, found, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}" if found else text


def comparison(results: Results) -> str:
    """At label rate 1.0: Brier score, share regained, promotions (harmful ones in brackets); means over seeds."""
    named = {name: runs for name in results if (runs := runs_of(results, name, 1.0))}
    lines = ["| policy | " + " | ".join(named) + " |", "|---" * (len(named) + 1) + "|"]
    lines += [
        f"| {policy} | " + " | ".join(_cell(runs, policy) for runs in named.values()) + " |"
        for policy in DEFAULT_POLICIES
    ]
    return "\n".join(lines)


def refusals(results: Results) -> str:
    """How often each gate refused on the drifting histories, and what its refusals cost where it alone did."""
    runs = [run for name in DRIFTING for rate in RATES for run in runs_of(results, name, rate)]
    # Where every label comes, another seed repeats the same healings.
    known = {(one.at, one.gates, one.gain): one for run in runs for one in run.policies["healed"].refusals if one.gates}
    refused = list(known.values())
    lines = ["| gate | refusals | it alone | of these better on the rows that followed | their mean gain |"]
    return "\n".join([*lines, "|---" * 5 + "|", *(_refused_by(gate, refused) for gate in GATES)])


def _refused_by(gate: str, refused: list[Refusal]) -> str:
    alone = [one for one in refused if one.gates == (gate,)]
    gains = [one.gain for one in alone if one.gain is not None]
    cost = f"{sum(gain > 0 for gain in gains)} of {len(gains)} | {np.mean(gains):+.4f}" if gains else "|"
    return f"| {gate} | {sum(gate in one.gates for one in refused)} | {len(alone)} | {cost} |"


TABLES: Mapping[str, Callable[[Results], str]] = {"healing": comparison, "refusals": refusals}


def shown(results: Results) -> str:
    """The tables and the bars, for a terminal."""
    width = max(len(bar.name) for bar in bars(results))
    mark = {True: "pass", False: "FAIL", None: "    "}
    lines = [f"{mark[bar.holds]}  {bar.name:{width}}  {bar.found}" for bar in bars(results)]
    return "\n".join([*(f"{table(results)}\n" for table in TABLES.values()), *lines])


def _cell(runs: list[Backtest], policy: str) -> str:
    found = [run.policies[policy] for run in runs if policy in run.policies]
    if not found:
        return ""
    brier = np.mean([result.brier for result in found])
    promoted, harmful = (
        np.mean([getattr(result, name) for result in found]) for name in ("promotions", "harmful_promotions")
    )
    shares = [result.regained for result in found if result.regained is not None]
    regained = f", {np.mean(shares):.0%}" if shares and policy not in {"frozen", "oracle"} else ""
    moved = f"; {promoted:.3g} ({harmful:.3g})" if policy not in {"frozen", "oracle"} else ""
    return f"{brier:.4f}{regained}{moved}"
