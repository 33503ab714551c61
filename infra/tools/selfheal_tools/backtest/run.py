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
from selfheal.tasks import Task
from selfheal_tools.backtest.blind import Rule, Walk, every, held_out, never, oracle, random_runs
from selfheal_tools.backtest.errors import BacktestImpossible
from selfheal_tools.backtest.healed import HealedReplay
from selfheal_tools.backtest.judged import seed_gates
from selfheal_tools.backtest.model_cache import ModelCache, workers
from selfheal_tools.backtest.order import hints_of
from selfheal_tools.backtest.policy_runs import PolicyRun
from selfheal_tools.backtest.records import Backtest, Looks, Metrics, Period, PeriodResult, PolicyResult, Settings
from selfheal_tools.backtest.scoring import mean_of, measured
from selfheal_tools.backtest.stream import Stream, stream_of
from selfheal_tools.backtest.verdict import regained, verdict_of
from selfheal_tools.backtest.versions import Versions
from selfheal_tools.backtest.words import mean_loss

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
    cache: ModelCache
    settings: Settings
    ticked: Ticked = lambda _, __: None
    runs: dict[str, PolicyRun] = field(default_factory=dict)
    looks: Looks | None = None

    def __post_init__(self) -> None:
        self.versions = Versions(self.stream, self.contract, self.cache)

    def result(self, name: str) -> PolicyResult:
        """What a policy came to. `random` needs `healed` to have been asked for before."""
        if name == "random":
            return self._random()
        policy_run = self.runs[name] = self._policy_run(name)
        return self.judged(policy_run)

    def judged(self, policy_run: PolicyRun) -> PolicyResult:
        """What a policy's run came to."""
        moves, refusals = policy_run.moves(self.stream), policy_run.refusals(self.stream)
        return _result(
            measured(policy_run.answers),
            policy_run.per_period(self.stream),
            retrainings=policy_run.retrainings,
            promotions=sum(move.kind == "promote" for move in moves),
            rejections=sum(refusal.kind == "reject" for refusal in refusals),
            rollbacks=sum(move.kind == "rollback" for move in moves),
            harmful_promotions=sum(move.harmful and move.kind == "promote" for move in moves),
            training_seconds=policy_run.training_seconds,
            moves=moves,
            refusals=refusals,
        )

    def _policy_run(self, name: str) -> PolicyRun:
        walk = Walk(self.versions, lambda period: self.ticked(name, period))
        if name == "healed":
            return self._healed()
        if name == "oracle":
            return oracle(self.versions)
        if name.startswith("periodic-"):
            return walk.policy_run(every(self.versions, int(name.removeprefix("periodic-"))))
        rules: dict[str, Callable[[], Rule]] = {
            "frozen": lambda: never,
            "always": lambda: every(self.versions),
            "always_held_out": lambda: held_out(self.versions),
            "seed-gates": lambda: seed_gates(self.versions),
        }
        return walk.policy_run(rules[name]())

    def _healed(self) -> PolicyRun:
        spent = self.cache.seconds
        replay = HealedReplay(
            self.stream,
            self.contract,
            self.cache,
            runs=self.settings.runs_per_period,
            ticked=lambda period: self.ticked("healed", period),
        )
        served = replay.run()
        self.looks = served.looks
        return served.policy_run(self.stream, self.contract, self.cache.seconds - spent)

    def _random(self) -> PolicyResult:
        healed = self.runs["healed"]
        promotions = sum(change.kind == "promote" for change in healed.changes)
        runs = list(random_runs(self.versions, promotions, SCHEDULES, self.settings.seed))
        moves = [policy_run.moves(self.stream) for policy_run in runs]
        periods = zip(*(policy_run.per_period(self.stream) for policy_run in runs), strict=True)
        return _result(
            mean_of([measured(policy_run.answers) for policy_run in runs]),
            tuple(_mean_period(results) for results in periods),
            retrainings=float(np.mean([policy_run.retrainings for policy_run in runs])),
            promotions=float(np.mean([len(of_course) for of_course in moves])),
            harmful_promotions=float(np.mean([sum(move.harmful for move in of_course) for of_course in moves])),
            training_seconds=float(np.mean([policy_run.training_seconds for policy_run in runs])),
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
        cache = ModelCache(pool, folder)
        replay = Replay(stream, contract, cache, settings, ticked)
        if pool is not None:
            replay.versions.order(policies)
        found, seconds = _all(replay, policies)
    except TrainingImpossible as error:
        advice = "raise --initial" if len(np.unique(rows.labels)) > 1 else "the whole file holds one value"
        raise BacktestImpossible(f"the first version can't be trained: {error}; {advice}") from error
    finally:
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
    results = _with_regained(found)
    return Backtest(
        dataset=dataset,
        contract=contract.model.name,
        task=contract.model.task,
        rows=len(rows),
        settings=settings,
        periods=_periods(stream, replay.versions.task),
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
    areas = [area for area in (result.metrics.get("auc") for result in per_period) if area is not None]
    # Beside the area over all rows, where the task has one.
    beside = {"auc": None, "auc_per_period": float(np.mean(areas)) if areas else None}
    beside = beside if "auc" in metrics.metrics else {}
    return PolicyResult.model_validate(
        {
            "metrics": beside | metrics.metrics,
            "intervals": metrics.intervals,
            "per_period": per_period,
            "rejections": 0,
            "rollbacks": 0,
            "regained": None,
            **counts,
        }
    )


def _with_regained(found: dict[str, PolicyResult]) -> dict[str, PolicyResult]:
    losses = {name: result.of(mean_loss(result.metrics)) for name, result in found.items()}
    frozen, oracle_ = losses.get("frozen"), losses.get("oracle")
    return {
        name: result.model_copy(update={"regained": regained(losses[name], frozen, oracle_)})
        for name, result in found.items()
    }


def _mean_period(results: Sequence[PeriodResult]) -> PeriodResult:
    return PeriodResult(**mean_of(results).model_dump(), period=results[0].period, versions=())


def _periods(stream: Stream, task: Task) -> tuple[Period, ...]:
    labels = stream.traffic.labels
    return tuple(
        Period(
            number=span.number,
            start=stream.told(span.begins),
            end=stream.told(span.ends),
            rows=span.stop - span.start,
            delivered=len(stream.delivered(span.number)),
            **task.occurrence(labels[span.rows]),
        )
        for span in stream.spans
    )
