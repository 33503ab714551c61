"""How often probation takes a version back: an equal one, a worse one, a broken one."""

from dataclasses import replace

import numpy as np

from selfheal.contract import default_contract
from selfheal.healing.probation import e_process
from tests.benchmarks.gates.pairs import cycled
from tests.benchmarks.gates.worlds import Scores, World

LABELS = 5_000
WORSE_BY = 0.012


def rolled_back(world: World, trials: int) -> dict[str, float]:
    """Shares of probations that end in a roll back: equal looked at 5,000 times, worse by 3,000, broken by 1,000."""
    noisy = worse_by(world, WORSE_BY)
    return {
        "equal": reached(world, world.pairs["equal"], LABELS, trials),
        "worse": reached(world, [(world.goods[0], noisy)], 3000, trials),
        "broken": reached(world, [(world.goods[0], world.broken)], 1000, trials),
    }


def reached(world: World, pairs: list[tuple[Scores, Scores]], labels: int, trials: int) -> float:
    significance = default_contract().policy.probation.significance
    hits = 0
    for trial, (previous, new) in cycled(pairs, trials):
        drawn = np.random.default_rng([labels, trial]).choice(len(world.labels), labels, replace=False)
        truth = world.labels[drawn]
        loss = [(model.probabilities[drawn] - truth) ** 2 for model in (new, previous)]
        hits += e_process(loss[0] - loss[1]).max() >= 1 / significance
    return round(float(hits / trials), 4)


def worse_by(world: World, increase: float) -> Scores:
    """The good model with noise on its log odds, as much as raises its Brier score by so much."""
    noise = np.random.default_rng(9).standard_normal(len(world.labels))
    odds = np.log(world.goods[0].probabilities / (1 - world.goods[0].probabilities))
    low, high = 0.0, 10.0
    for _ in range(30):
        middle = (low + high) / 2
        spoilt = 1 / (1 + np.exp(-(odds + middle * noise)))
        is_below = np.mean((spoilt - world.labels) ** 2) < world.goods[0].loss + increase
        low, high = (middle, high) if is_below else (low, middle)
    return replace(world.goods[0], probabilities=spoilt, loss=world.goods[0].loss + increase)
