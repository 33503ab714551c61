"""One replay of the benchmark: a history cut up in one way, and what each policy makes of it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from selfheal.contract import Contract
from selfheal_tools.backtest.blind import Walk
from selfheal_tools.backtest.model_cache import ModelCache
from selfheal_tools.backtest.overrides import overridden
from selfheal_tools.backtest.records import Settings
from selfheal_tools.backtest.run import RUNS_PER_PERIOD, Replay
from selfheal_tools.backtest.stream import stream_of
from selfheal_tools.backtest.verdict import regained
from tests.benchmarks.healing.blends import blends
from tests.benchmarks.healing.broken import BROKEN, BrokenShelf
from tests.benchmarks.healing.histories import DRIFTING, OTHER_KINDS, REAL, VISITORS, at_hand, history, thinned
from tests.benchmarks.healing.outcomes import Outcome, outcome_of

DIVISIONS = (20, 15, 25)
RATES = (1.0, 0.4)
INITIAL, DELAY = 0.2, 1
DAY_SECONDS = 86_400
# Of the shortest period: a cooldown of all of it is over at the period's very end, or just after by rounding.
COOLDOWN = 0.99
POLICIES = (
    "healed",
    "frozen",
    "always",
    "always_held_out",
    "periodic-5",
    "seed-gates",
    "random",
    "oracle",
)
# What a test of this size would promote; "none": everything.
CURVE = {"0.01": 0.01, "0.05": 0.05, "0.1": 0.1, "0.2": 0.2, "none": None}
# Few rows: so many of a history, thirty percent of them for the first version, labels at once, from another row on.
FEW, FEW_INITIAL, FEW_REPETITIONS = (2_000, 6_000), 0.3, 3
# Trained versions, by what they follow from: another run needs them again.
VERSIONS = Path("build/bench/versions")


@dataclass(frozen=True, slots=True)
class Job:
    """rows: evenly so many of the history's, None for all. broken: how every fourth version is broken, if it is."""

    dataset: str
    periods: int = 20
    rate: float = 1.0
    delay: int = DELAY
    initial: float = INITIAL
    rows: int | None = None
    first: int = 0
    broken: str | None = None

    @property
    def key(self) -> str:
        """Its name in the file of results."""
        return ",".join(f"{name}={value}" for name, value in asdict(self).items() if value is not None)

    @property
    def policies(self) -> tuple[str, ...]:
        """All where policies are compared; else those that a bar asks for."""
        return POLICIES if self.is_compared or self.is_of_another_kind else ("healed", "frozen", "always", "oracle")

    @property
    def is_visited(self) -> bool:
        """Whether another population visits."""
        return self.dataset.startswith(VISITORS)

    @property
    def is_of_another_kind(self) -> bool:
        """Whether its target has several classes, or is a number."""
        return self.dataset in OTHER_KINDS

    @property
    def is_compared(self) -> bool:
        """Whether policies are compared by it: whole histories of two values, and rules of other significance too."""
        return self.rows is None and self.broken is None and not (self.is_visited or self.is_of_another_kind)


def jobs() -> list[Job]:
    """All replays that the histories at hand allow, those first that take longest: both processes end at once."""
    known = at_hand()
    return sorted(_jobs(known), key=lambda job: (job.rows is None, job.dataset in REAL[:1], job.rate), reverse=True)


def _jobs(known: tuple[str, ...]) -> Iterator[Job]:
    for name in known:
        if name in REAL:
            yield from (Job(name, periods, rate) for periods in DIVISIONS for rate in RATES)
        elif name in OTHER_KINDS:
            yield from (Job(name, periods) for periods in DIVISIONS)
        else:
            yield Job(name)
    for name in DRIFTING:
        if name in known:
            yield from (Job(name, rate=0.4, broken=kind) for kind in BROKEN)
            yield from (
                Job(name, delay=0, initial=FEW_INITIAL, rows=rows, first=first)
                for rows in FEW
                for first in range(FEW_REPETITIONS)
            )


def replayed(job: Job) -> dict[str, Any]:
    """What each policy came to, and each rule of the curve."""
    rows, contract = history(job.dataset)
    rows = rows if job.rows is None else thinned(rows, job.rows, job.first)
    asked = {"periods": job.periods, "initial": job.initial, "label_delay": job.delay, "label_rate": job.rate}
    stream = stream_of(rows, **asked, seed=0)
    cooled, told = _with_cooldown(contract, stream.shortest_period.total_seconds())
    settings = Settings(**asked, seed=0, runs_per_period=RUNS_PER_PERIOD, overrides=told)
    broken = None if job.broken is None else BrokenShelf(folder=VERSIONS, kind=job.broken, stream=stream)
    replay = Replay(stream, cooled, broken or ModelCache(folder=VERSIONS), settings)
    # Those who judge versions made beforehand come first: healing finds most of its own made.
    order = sorted(job.policies, key=("healed", "random").__contains__)
    found = {name: outcome_of(replay.result(name)) for name in order}
    if job.is_compared:
        walk = Walk(replay.versions)
        rules = {name: blends(replay.versions, size) for name, size in CURVE.items()}
        found |= {f"blend at {name}": outcome_of(replay.judged(walk.policy_run(rule))) for name, rule in rules.items()}
    return {name: outcome.model_dump() for name, outcome in _with_regained(found).items()}


def _with_cooldown(contract: Contract, period_seconds: float) -> tuple[Contract, dict[str, float | int | str]]:
    return overridden(contract, [f"gates.cooldown_days={COOLDOWN * period_seconds / DAY_SECONDS:.3f}"])


def _with_regained(found: dict[str, Outcome]) -> dict[str, Outcome]:
    ends = found["frozen"].loss, found["oracle"].loss
    return {name: one.model_copy(update={"regained": regained(one.loss, *ends)}) for name, one in found.items()}
