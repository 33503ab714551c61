"""The benchmark's file: each policy by history and pooled, the curve of the significance, and what is special."""

from collections.abc import Iterable, Mapping
from statistics import fmean, stdev

from tests.benchmarks.healing.histories import DRIFTING
from tests.benchmarks.healing.jobs import CURVE, POLICIES, RATES, Job
from tests.benchmarks.healing.outcomes import Outcome

# What each policy, or rule of the curve, came to in each replay.
type Replays = Mapping[Job, Mapping[str, Outcome]]
type Figures = dict[str, float | None]


def summary(replays: Replays) -> dict[str, object]:
    """What `build/bench/healing.json` holds. Shares are of the gap between frozen and oracle; counts are sums.

    Pooled figures are of the histories that drift, which weigh alike; spread is the standard deviation over replays.
    """
    compared = {job: found for job, found in replays.items() if job.is_compared}
    histories = dict.fromkeys(job.dataset for job in compared)
    return {
        "pooled": {name: pooled(compared, name) for name in POLICIES},
        "by_rate": {str(rate): {name: pooled(of_rate(compared, rate), name) for name in POLICIES} for rate in RATES},
        "by_history": {of: {name: figures(outcomes(compared, of, name)) for name in POLICIES} for of in histories},
        "curve": {size: pooled(compared, f"blend at {size}") for size in CURVE},
        "few_rows": few_rows(replays),
        "broken": broken(replays),
        "visitors": {
            job.dataset: {name: worst_period(found, name) for name in found}
            for job, found in replays.items()
            if job.is_visited
        },
    }


def of_rate(replays: Replays, rate: float) -> Replays:
    """Those at one label rate."""
    return {job: found for job, found in replays.items() if job.rate == rate}


def outcomes(replays: Replays, history: str, name: str) -> list[Outcome]:
    """What one policy came to in all replays of a history."""
    return [found[name] for job, found in replays.items() if job.dataset == history and name in found]


def figures(found: list[Outcome]) -> Figures:
    """Several replays of one history as one line."""
    shares = [one.regained for one in found if one.regained is not None]
    return {
        "regained": fmean(shares) if shares else None,
        "spread": stdev(shares) if len(shares) > 1 else None,
        "loss": fmean(one.loss for one in found) if found else None,
        **_counts(found),
    }


def pooled(replays: Replays, name: str) -> Figures:
    """One policy over the histories that drift."""
    lines = [line for line in (outcomes(replays, history, name) for history in DRIFTING) if line]
    shares = [share for share in (figures(line)["regained"] for line in lines) if share is not None]
    together = [one for line in lines for one in line]
    return {"regained": fmean(shares) if shares else None, **_counts(together)}


def few_rows(replays: Replays) -> dict[str, Figures]:
    """By how many rows there are: what healing and `always` regain, pooled, and the share of the second."""
    return {str(rows): _share_of_always(replays, rows) for rows in sorted({job.rows for job in replays if job.rows})}


def broken(replays: Replays) -> dict[str, dict[str, float]]:
    """By how versions are broken: healing, and retraining blindly."""
    kinds = dict.fromkeys(job.broken for job in replays if job.broken)
    return {
        kind: {
            f"{name}_{count}": value for name in ("healed", "always") for count, value in _of_kind(replays, kind, name)
        }
        for kind in kinds
    }


def worst_period(found: Mapping[str, Outcome], name: str) -> float:
    """The largest Brier score of a period, as a multiple of the frozen model's in it."""
    return max(ours / frozen for ours, frozen in zip(found[name].periods, found["frozen"].periods, strict=True))


def _share_of_always(replays: Replays, rows: int) -> Figures:
    those = {job: found for job, found in replays.items() if job.rows == rows}
    healed, always = (pooled(those, name)["regained"] for name in ("healed", "always"))
    share = healed / always if healed is not None and always else None
    return {"healed": healed, "always": always, "share": share}


def _of_kind(replays: Replays, kind: str, name: str) -> Iterable[tuple[str, float]]:
    return _counts([found[name] for job, found in replays.items() if job.broken == kind]).items()


def _counts(found: list[Outcome]) -> dict[str, float]:
    return {
        "promotions": sum(one.promotions for one in found),
        "harmful": sum(one.harmful for one in found),
        "trainings": sum(one.trainings for one in found),
        "replays": len(found),
    }
