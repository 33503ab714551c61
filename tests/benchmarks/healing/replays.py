"""One replay of the benchmark: twenty periods, a fifth of the rows for the first version, a cooldown of one period."""

import re
from dataclasses import dataclass
from pathlib import Path

from infra.backtest.overrides import overridden
from infra.backtest.records import Settings
from infra.backtest.run import DEFAULT_POLICIES, RUNS_PER_PERIOD, backtest
from infra.backtest.stream import stream_of
from tests.benchmarks.healing.histories import REAL, STEADY, at_hand, history

PERIODS, INITIAL, DELAY = 20, 0.2, 1
RATES = (1.0, 0.4)
SEEDS = (0, 1, 2)
DAY_SECONDS = 86_400
# Of the shortest period: a cooldown of all of it is over at the period's very end, or just after by rounding.
COOLDOWN = 0.99
# The replay that is timed: the first so many rows of the largest history, with nothing beside it and nothing kept.
LARGEST, TIMED_ROWS = "hotel_bookings", 100_000
# Trained versions, by what they follow from: another seed of the same rows needs them again.
VERSIONS = Path("build/bench/versions")


@dataclass(frozen=True, slots=True)
class Job:
    """One replay; `key` is its name in the file of results. rows: the first so many, None for all."""

    dataset: str
    rate: float
    seed: int
    delay: int = DELAY
    rows: int | None = None

    @property
    def key(self) -> str:
        delayed = "" if self.delay == DELAY else f",delay={self.delay}"
        timed = "" if self.rows is None else f",rows={self.rows}"
        return f"rate={self.rate},seed={self.seed}{delayed}{timed}"

    @property
    def policies(self) -> tuple[str, ...]:
        """All, where a bar or the table compares them."""
        is_sanity = self.rate not in RATES or self.delay != DELAY
        is_repetition = self.dataset == STEADY and self.seed != SEEDS[0]
        return ("healed", "frozen") if is_sanity or is_repetition or self.rows else DEFAULT_POLICIES


TIMED = Job(LARGEST, 1.0, 0, rows=TIMED_ROWS)


def is_compared(key: str, rate: float) -> bool:
    """Whether it is a replay of a whole history at this label rate, its labels late by the usual delay."""
    return re.fullmatch(rf"rate={re.escape(str(rate))},seed=\d+", key) is not None


def jobs() -> list[Job]:
    """The bars' replays first, then those that ask only for sanity: hardly any labels, and very late ones."""
    real = [name for name in at_hand() if name in REAL]
    bars = [Job(name, rate, seed) for seed in SEEDS for rate in RATES for name in real]
    sanity = [job for name in real for job in (Job(name, 0.05, 0), Job(name, 1.0, 0, delay=5))]
    timed = [TIMED] if LARGEST in real else []
    return [*timed, *bars, *sanity, Job("generator", 1.0, 0)]


def replayed(job: Job) -> str:
    """The result as JSON."""
    rows, contract = history(job.dataset)
    rows = rows.take(slice(0, job.rows))
    asked = {"periods": PERIODS, "initial": INITIAL, "label_delay": job.delay, "label_rate": job.rate, "seed": job.seed}
    cooldown = COOLDOWN * stream_of(rows, **asked).shortest_period.total_seconds() / DAY_SECONDS
    changed, told = overridden(contract, [f"gates.cooldown_days={cooldown:.3f}"])
    settings = Settings(**asked, runs_per_period=RUNS_PER_PERIOD, overrides=told)
    kept = VERSIONS if job.rows is None else None
    found = backtest(rows, changed, dataset=job.dataset, settings=settings, policies=job.policies, folder=kept)
    return found.model_dump_json()
