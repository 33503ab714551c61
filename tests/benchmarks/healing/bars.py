"""What must hold, and whether it does."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from infra.backtest.records import Backtest, PolicyResult
from tests.benchmarks.healing.histories import DRIFTING, STEADY
from tests.benchmarks.healing.replays import LARGEST, RATES, TIMED, is_compared

type Results = Mapping[str, Mapping[str, Backtest]]


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the table; `holds` is None where nothing was measured."""

    name: str
    found: str
    holds: bool | None


def bars(results: Results) -> list[Bar]:
    """All bars, in the order of the issue."""
    return [
        *(bar for rate in RATES for bar in _of_rate(results, rate)),
        _harm(results),
        *_steady(results),
        _speed(results),
        *_sanity(results),
    ]


def _of_rate(results: Results, rate: float) -> Iterable[Bar]:
    runs = {name: runs_of(results, name, rate) for name in DRIFTING}
    if not all(runs.values()):
        yield Bar(f"label rate {rate}", "not measured yet", None)
        return
    ours, theirs = (
        {name: _mean(of, policy, _regained) for name, of in runs.items()} for policy in ("healed", "always_held_out")
    )
    shares = {name: ours[name] / theirs[name] for name in DRIFTING}
    pooled = sum(ours.values()) / sum(theirs.values())
    each = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    yield Bar(f"rate {rate}: regains 90 % of always_held_out, pooled", f"{pooled:.0%}", pooled >= 0.9)
    yield Bar(f"rate {rate}: and 80 % on each", each, min(shares.values()) >= 0.8)
    together = [run for of in runs.values() for run in of]
    moved = [sum(run.policies[name].promotions for run in together) for name in ("healed", "always_held_out")]
    share = moved[0] / moved[1]
    yield Bar(f"rate {rate}: at most three quarters of its promotions", f"{share:.0%}", share <= 0.75)
    for rival in ("random", "periodic-5"):
        yield _against(rate, rival, together)


def _against(rate: float, rival: str, runs: list[Backtest]) -> Bar:
    regained = [_mean(runs, name, _regained) for name in ("healed", rival)]
    trained = [_mean(runs, name, _retrainings) for name in ("healed", rival)]
    found = f"regained {regained[0]:.0%} against {regained[1]:.0%}, retrained {trained[0]:.1f} against {trained[1]:.1f}"
    # As many retrainings as ours are promotions is what `random` has by its making.
    is_fair = rival == "random" or trained[0] <= trained[1]
    return Bar(f"rate {rate}: better than {rival}", found, regained[0] > regained[1] and is_fair)


def _harm(results: Results) -> Bar:
    runs = [run for name in DRIFTING for rate in RATES for run in runs_of(results, name, rate)]
    promoted = sum(run.policies["healed"].promotions for run in runs)
    harmful = sum(run.policies["healed"].harmful_promotions for run in runs)
    if not promoted:
        return Bar("at most 10 % of promotions harmful", "no promotion yet", None)
    return Bar("at most 10 % of promotions harmful", f"{harmful:g} of {promoted:g}", harmful <= 0.1 * promoted)


def _steady(results: Results) -> Iterable[Bar]:
    runs = [run for rate in RATES for run in runs_of(results, STEADY, rate)]
    if not runs:
        return
    healed = [run.policies["healed"] for run in runs]
    harmful = sum(result.harmful_promotions for result in healed)
    most = max(result.promotions for result in healed)
    allowed = len(runs[0].periods) / 10
    yield Bar(f"{STEADY}: no harmful promotion", f"{harmful:g}", harmful == 0)
    yield Bar(f"{STEADY}: at most one promotion per ten periods", f"{most:g} at most", most <= allowed)


def _speed(results: Results) -> Bar:
    run = results.get(LARGEST, {}).get(TIMED.key)
    name = f"{LARGEST}: {TIMED.rows} rows healed in under 4 minutes"
    if run is None:
        return Bar(name, "not measured yet", None)
    seconds = run.policy_seconds["healed"]
    return Bar(name, f"{seconds:.0f} s, {run.policies['healed'].retrainings:g} trainings", seconds < 240)


def _sanity(results: Results) -> Iterable[Bar]:
    for key in ("rate=0.05,seed=0", "rate=1.0,seed=0,delay=5"):
        for name, runs in results.items():
            if key in runs:
                healed = runs[key].policies["healed"]
                explained = all(event.reason for event in (*healed.moves, *healed.refusals))
                found = f"{healed.promotions:g} promotions, {healed.harmful_promotions:g} harmful, "
                found += f"{len(healed.refusals)} refusals, regained {_percent(healed.regained)}"
                yield Bar(f"{name}, {key}: every decision explained", found, explained)


def runs_of(results: Results, name: str, rate: float) -> list[Backtest]:
    """The replays of a whole history at one label rate: a seed each."""
    return [run for key, run in results.get(name, {}).items() if is_compared(key, rate)]


def _mean(runs: Iterable[Backtest], policy: str, of: Callable[[PolicyResult], float]) -> float:
    return float(np.mean([of(run.policies[policy]) for run in runs]))


def _regained(result: PolicyResult) -> float:
    return result.regained or 0.0


def _retrainings(result: PolicyResult) -> float:
    return result.retrainings


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
