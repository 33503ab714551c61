"""How often the gates let a blend in whose newcomer is equal to the versions before it, or worse.

A course is what a service lives through: each period brings fresh rows and a newly trained version, which is judged
in a blend with those before it, promoted or not, against what production answers; what passes is production then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from selfheal.data.moments import as_datetime64, as_utc
from selfheal.gates import EvidenceRows, judge_gates
from selfheal.gates.blend import (
    MOST_MEMBERS,
    MemberAnswers,
    cross_fitted,
    weights_of,
)
from selfheal.gates.evaluation_rows import evaluation_start
from tests.benchmarks.gates.circumstances import CALM
from tests.benchmarks.gates.worlds import Scores, World

SIZES = (400, 1000, 2400)
PERIODS = 20
MINUTE = np.timedelta64(1, "m")


@dataclass(frozen=True)
class Period:
    """Fresh rows of a period, in time order: which of the world's, when, and which of them the newcomer hasn't seen."""

    drawn: NDArray[np.intp]
    timestamps: NDArray[np.datetime64]
    is_kept_back: NDArray[np.bool_]


def blends_promoted(world: World, trials: int) -> dict[str, dict[str, float]]:
    """Shares of trials whose blend was promoted, by what newcomers are and rows a period."""
    runs = max(1, trials // PERIODS)
    return {
        kind: {str(size): round(_share(world, newcomers, size, runs), 4) for size in SIZES}
        for kind, newcomers in (("equal", world.goods), ("worse", world.weaks))
    }


def _share(world: World, newcomers: Sequence[Scores], size: int, runs: int) -> float:
    return float(np.mean([_course(world, newcomers, size, seed) for seed in range(runs)]))


def _course(world: World, newcomers: Sequence[Scores], size: int, seed: int) -> float:
    """The share of a course's trials that were promoted. It starts with a blend of three good versions."""
    rng = np.random.default_rng([size, seed])
    before = [world.goods[position] for position in rng.permutation(len(world.goods))[:MOST_MEMBERS]]
    production = _blended(world, before, np.full(MOST_MEMBERS, 1 / MOST_MEMBERS))
    promoted = 0
    for _ in range(PERIODS):
        members = [newcomers[rng.integers(len(newcomers))], *before]
        passed, weights = _judged(world, production, members, _period(world, size, rng))
        if passed:
            production = _blended(world, members, weights)
            promoted += 1
        before = members[:MOST_MEMBERS]
    return promoted / PERIODS


def _period(world: World, size: int, rng: np.random.Generator) -> Period:
    drawn = rng.choice(len(world.labels), size, replace=False)
    timestamps = as_datetime64(CALM.judged_at - timedelta(days=2)) + np.arange(size) * MINUTE
    start = evaluation_start(
        timestamps,
        world.labels[drawn],
        after=as_utc(timestamps[0]) - timedelta(minutes=1),
        minimum_samples=world.kind.contract.policy.gates.minimum_samples,
        unhurried=True,
        task=world.kind.task,
    )
    if start is None:
        raise ValueError(f"{size} rows a period are too few to judge a version by")
    return Period(drawn, timestamps, timestamps >= as_datetime64(start))


def _judged(
    world: World, production: Scores, members: Sequence[Scores], period: Period
) -> tuple[bool, NDArray[np.float64]]:
    """Whether all gates pass, and the weights that the blend would have."""
    labels, one_each = world.labels[period.drawn], np.ones(len(period.drawn))
    task, contract = world.kind.task, world.kind.contract
    probabilities = np.stack([member.probabilities[period.drawn] for member in members], axis=1)
    probabilities[~period.is_kept_back, 0] = np.nan
    names = tuple(f"version {age}" for age in range(len(members)))
    answers = MemberAnswers(names, probabilities, np.array([member.threshold for member in members]), task)
    blend = cross_fitted(answers, labels, one_each)
    rows = EvidenceRows(
        row_ids=period.drawn.astype(object),
        timestamps=period.timestamps,
        labels=labels,
        production_probability=production.probabilities[period.drawn],
        shadow_probability=blend.probabilities,
        production_prediction=production.predictions[period.drawn],
        shadow_prediction=blend.predictions,
        weights=one_each,
        segments=world.segments.iloc[period.drawn].reset_index(drop=True),
        members=answers,
        task=task,
    )
    gates = judge_gates(rows, CALM, contract.policy.gates, contract.segments)
    return all(gate.passed for gate in gates), weights_of(answers, labels, one_each)


def _blended(world: World, members: Sequence[Scores], weights: NDArray[np.float64]) -> Scores:
    """What a blend of the first members says of all rows of the world."""
    task = world.kind.task
    chosen = [(member, weight) for member, weight in zip(members, weights.tolist(), strict=True) if weight]
    scores = [weight * task.scores(member.probabilities) for member, weight in chosen]
    probabilities = task.answers(np.asarray(sum(scores)))
    threshold = task.mean_point(
        np.array([member.threshold for member, _ in chosen]), np.array([weight for _, weight in chosen])
    )
    return replace(
        chosen[0][0],
        probabilities=probabilities,
        predictions=task.predictions(probabilities, threshold),
        threshold=threshold,
    )
