"""All policies on one history, and what each came to."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from selfheal.contract import Contract
from selfheal.errors import TrainingImpossible
from selfheal.tables.dataset import Dataset
from selfheal_tools.backtest.blind import Rule, Walk, every, held_out, never, oracle, random_courses
from selfheal_tools.backtest.courses import Course
from selfheal_tools.backtest.errors import BacktestImpossible
from selfheal_tools.backtest.healed import HealedReplay
from selfheal_tools.backtest.judged import seed_gates
from selfheal_tools.backtest.order import hints_of
from selfheal_tools.backtest.records import Backtest, Looks, Metrics, Period, PeriodResult, PolicyResult, Settings
from selfheal_tools.backtest.scoring import mean_of, measured
from selfheal_tools.backtest.shelf import Shelf, workers
from selfheal_tools.backtest.stream import Stream, stream_of
from selfheal_tools.backtest.verdict import regained, verdict_of
from selfheal_tools.backtest.versions import Versions

DEFAULT_POLICIES = (
    "healed",
    "frozen",
    "always",
    "always_held_out",
    "periodic-5",
    "seed-gates",
    "random",
    "oracle",
)
SCHEDULES = 200
# Labels arrive at the ends of periods, so that a run there sees all there is to see.
RUNS_PER_PERIOD = 1

type Ticked = Callable[[str, int], None]


@dataclass(eq=False)
class Replay:
    """One history under one contract, with everything that policies share."""

    stream: Stream
    contract: Contract
    shelf: Shelf
    settings: Settings
    ticked: Ticked = lambda _, __: None
    courses: dict[str, Course] = field(default_factory=dict)
    looks: Looks | None = None

    def __post_init__(self) -> None:
        self.versions = Versions(self.stream, self.contract, self.shelf)

    def result(self, name: str) -> PolicyResult:
        """What a policy came to. `random` needs `healed` to have been asked for before."""
        if name == "random":
            return self._random()
        course = self.courses[name] = self._course(name)
        return self.judged(course)

    def judged(self, course: Course) -> PolicyResult:
        """What a course came to."""
        moves, refusals = course.moves(self.stream), course.refusals(self.stream)
        return _result(
            measured(course.answers),
            course.per_period(self.stream),
            retrainings=course.retrainings,
            promotions=sum(move.kind == "promote" for move in moves),
            rejections=sum(refusal.kind == "reject" for refusal in refusals),
            rollbacks=sum(move.kind == "rollback" for move in moves),
            harmful_promotions=sum(move.harmful and move.kind == "promote" for move in moves),
            training_seconds=course.training_seconds,
            moves=moves,
            refusals=refusals,
        )

    def _course(self, name: str) -> Course:
        walk = Walk(self.versions, lambda period: self.ticked(name, period))
        if name == "healed":
            return self._healed()
        if name == "oracle":
            return oracle(self.versions)
        if name.startswith("periodic-"):
            return walk.course(every(self.versions, int(name.removeprefix("periodic-"))))
        rules: dict[str, Callable[[], Rule]] = {
            "frozen": lambda: never,
            "always": lambda: every(self.versions),
            "always_held_out": lambda: held_out(self.versions),
            "seed-gates": lambda: seed_gates(self.versions),
        }
        return walk.course(rules[name]())

    def _healed(self) -> Course:
        spent = self.shelf.seconds
        replay = HealedReplay(
            self.stream,
            self.contract,
            self.shelf,
            runs=self.settings.runs_per_period,
            ticked=lambda period: self.ticked("healed", period),
        )
        served = replay.run()
        self.looks = served.looks
        return served.course(self.stream, self.shelf.seconds - spent)

    def _random(self) -> PolicyResult:
        healed = self.courses["healed"]
        promotions = sum(change.kind == "promote" for change in healed.changes)
        courses = list(random_courses(self.versions, promotions, SCHEDULES, self.settings.seed))
        moves = [course.moves(self.stream) for course in courses]
        periods = zip(*(course.per_period(self.stream) for course in courses), strict=True)
        return _result(
            mean_of([measured(course.answers) for course in courses]),
            tuple(_mean_period(results) for results in periods),
            retrainings=float(np.mean([course.retrainings for course in courses])),
            promotions=float(np.mean([len(of_course) for of_course in moves])),
            harmful_promotions=float(np.mean([sum(move.harmful for move in of_course) for of_course in moves])),
            training_seconds=float(np.mean([course.training_seconds for course in courses])),
        )


def backtest(
    rows: Dataset,
    contract: Contract,
    *,
    dataset: str,
    settings: Settings,
    policies: Sequence[str] = DEFAULT_POLICIES,
    processes: int = 0,
    folder: Path | None = None,
    ticked: Ticked = lambda _, __: None,
) -> Backtest:
    """Replay labelled rows in time order under every policy named. `processes`: so many that train ahead.

    `folder`: where trained models are kept for other replays of the same rows.

    Raises:
        BacktestImpossible: the rows, the settings or the names of policies don't allow it.
    """
    began = time.perf_counter()
    check_policies(policies)
    stream = stream_of(
        rows,
        periods=settings.periods,
        initial=settings.initial,
        label_delay=settings.label_delay,
        label_rate=settings.label_rate,
        seed=settings.seed,
    )
    pool = workers(processes) if processes else None
    try:
        shelf = Shelf(pool, folder)
        replay = Replay(stream, contract, shelf, settings, ticked)
        if pool is not None:
            replay.versions.order(policies)
        found, seconds = _all(replay, policies)
    except TrainingImpossible as error:
        advice = "raise --initial" if len(np.unique(rows.labels)) > 1 else "the whole file holds one class"
        raise BacktestImpossible(f"the first version can't be trained: {error}; {advice}") from error
    finally:
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
    results = _with_regained(found)
    return Backtest(
        dataset=dataset,
        contract=contract.model.name,
        rows=len(rows),
        settings=settings,
        periods=_periods(stream),
        policies=results,
        verdict=verdict_of(results, replay.looks),
        looks=replay.looks,
        hints=hints_of(rows),
        seconds=time.perf_counter() - began,
        policy_seconds=seconds,
    )


def check_policies(names: Sequence[str]) -> None:
    """Raises BacktestImpossible for a name that nobody knows, and for `random` without `healed`."""
    unknown = [name for name in names if name not in DEFAULT_POLICIES and not re.fullmatch(r"periodic-[1-9]\d*", name)]
    if unknown:
        known = ", ".join((*DEFAULT_POLICIES, "periodic-<periods>"))
        raise BacktestImpossible(f"no policy is called {', '.join(unknown)}; there are {known}")
    if "random" in names and "healed" not in names:
        raise BacktestImpossible("random promotes as often as healed does: name healed too")


def _all(replay: Replay, policies: Sequence[str]) -> tuple[dict[str, PolicyResult], dict[str, float]]:
    # `random` asks how often `healed` promoted.
    order = sorted(policies, key=lambda name: name == "random")
    found, seconds = {}, {}
    for name in order:
        began = time.perf_counter()
        found[name] = replay.result(name)
        replay.ticked(name, replay.settings.periods)
        seconds[name] = time.perf_counter() - began
    return {name: found[name] for name in policies}, seconds


def _result(metrics: Metrics, per_period: tuple[PeriodResult, ...], **counts: object) -> PolicyResult:
    areas = [result.auc for result in per_period if result.auc is not None]
    return PolicyResult.model_validate(
        {
            **metrics.model_dump(exclude={"rows"}),
            "auc_per_period": float(np.mean(areas)) if areas else None,
            "per_period": per_period,
            "rejections": 0,
            "rollbacks": 0,
            "regained": None,
            **counts,
        }
    )


def _with_regained(found: dict[str, PolicyResult]) -> dict[str, PolicyResult]:
    frozen, oracle_ = (found[name].brier if name in found else None for name in ("frozen", "oracle"))
    return {
        name: result.model_copy(update={"regained": regained(result.brier, frozen, oracle_)})
        for name, result in found.items()
    }


def _mean_period(results: Sequence[PeriodResult]) -> PeriodResult:
    return PeriodResult(**mean_of(results).model_dump(), period=results[0].period, versions=())


def _periods(stream: Stream) -> tuple[Period, ...]:
    labels = stream.traffic.labels
    return tuple(
        Period(
            number=span.number,
            start=stream.told(span.begins),
            end=stream.told(span.ends),
            rows=span.stop - span.start,
            positives=int(labels[span.rows].sum()),
            delivered=len(stream.delivered(span.number)),
        )
        for span in stream.spans
    )
