"""The results as tables for the documentation, put between two markers."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from infra.backtest.records import Backtest
from infra.backtest.run import DEFAULT_POLICIES
from tests.benchmarks.healing.bars import Results, bars
from tests.benchmarks.healing.replays import is_compared

FILES = (Path("docs/backtest.md"), Path("README.md"))
BEGIN, END = "<!-- healing: begin -->", "<!-- healing: end -->"


def write(results: Results) -> list[Path]:
    """Put the table into every file that has the markers; returns which."""
    written = []
    for file in FILES:
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        if BEGIN in text and END in text:
            before, _, rest = text.partition(BEGIN)
            _, _, after = rest.partition(END)
            file.write_text(f"{before}{BEGIN}\n{comparison(results)}\n{END}{after}", encoding="utf-8")
            written.append(file)
    return written


def comparison(results: Results) -> str:
    """Brier score, share regained and promotions (harmful ones in brackets), as means over seeds, in Markdown."""
    named = {name: _runs(runs) for name, runs in results.items() if _runs(runs)}
    lines = ["| policy | " + " | ".join(named) + " |", "|---" * (len(named) + 1) + "|"]
    lines += [
        f"| {policy} | " + " | ".join(_cell(runs, policy) for runs in named.values()) + " |"
        for policy in DEFAULT_POLICIES
    ]
    return "\n".join(lines)


def shown(results: Results) -> str:
    """The comparison and the bars, for a terminal."""
    width = max(len(bar.name) for bar in bars(results))
    mark = {True: "pass", False: "FAIL", None: "    "}
    lines = [f"{mark[bar.holds]}  {bar.name:{width}}  {bar.found}" for bar in bars(results)]
    return "\n".join([comparison(results), "", *lines])


def _runs(runs: Mapping[str, Backtest]) -> list[Backtest]:
    """Label rate 1.0, every seed: what the table shows."""
    return [run for key, run in runs.items() if is_compared(key, 1.0)]


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
