"""Models that are equal, worse or broken, and rows that none of them has seen."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from selfheal.contract import default_contract
from selfheal.data.files import load_dataset
from selfheal.tasks.port import Floats, Labels
from selfheal_tools.simulation.credit import credit_rows
from tests.benchmarks.gates.circumstances import CALM
from tests.benchmarks.gates.kinds import Kind, Model

PAIRS = 20
EQUAL_WITHIN = 0.002
WORSE_BY = (0.07, 0.15)
UNSEEN = 50_000
GOOD_ROWS, GOOD_MODELS = 12_000, 14
WEAK_ROWS, WEAK_MODELS = (250, 4000), 60


@dataclass(frozen=True)
class Scores:
    """One model's answers on all unseen rows."""

    probabilities: Floats
    predictions: Labels
    loss: float
    threshold: float


@dataclass(frozen=True)
class World:
    """Unseen rows, the models' answers on them, and pairs (production, shadow) by what the shadow model is.

    goods: models of which none is better than another by much. weaks: models that are 7 to 15 % worse than these.
    kind: what kind of target it is.
    """

    labels: Labels
    segments: pd.DataFrame
    pairs: dict[str, list[tuple[Scores, Scores]]]
    goods: list[Scores]
    weaks: list[Scores]
    broken: Scores
    kind: Kind


def generated() -> tuple[pd.DataFrame, Labels]:
    return credit_rows(np.random.default_rng(7), 150_000)


def from_file(file: Path) -> tuple[pd.DataFrame, Labels]:
    rows = load_dataset(file, default_contract(), end=CALM.judged_at)
    order = np.random.default_rng(7).permutation(len(rows))
    return rows.features.iloc[order].reset_index(drop=True), rows.labels[order]


def world_of(features: pd.DataFrame, labels: Labels, kind: Kind) -> World:
    """Train the models on the rows that aren't kept back."""
    unseen, unseen_labels = features.iloc[:UNSEEN].reset_index(drop=True), labels[:UNSEEN]
    rng = np.random.default_rng(8)

    def model(rows: int) -> Model:
        drawn = UNSEEN + rng.choice(len(labels) - UNSEEN, rows, replace=False)
        boosting = kind.estimator(max_iter=60, learning_rate=0.08, max_leaf_nodes=15, random_state=0)
        return boosting.fit(features.iloc[drawn], labels[drawn])

    good_models = [model(GOOD_ROWS) for _ in range(GOOD_MODELS)]
    good = [scores(known, unseen, unseen_labels, kind) for known in good_models]
    weak = [
        scores(model(rows), unseen, unseen_labels, kind) for rows in np.geomspace(*WEAK_ROWS, WEAK_MODELS).astype(int)
    ]
    broken = scores(good_models[0], unseen.assign(**{kind.scaled: 100 * unseen[kind.scaled]}), unseen_labels, kind)
    worse = [pair for pair in product_of(good, weak) if WORSE_BY[0] <= excess(*pair) <= WORSE_BY[1]]
    equal = [pair for pair in product_of(good, good) if pair[0] is not pair[1] and abs(excess(*pair)) < EQUAL_WITHIN]
    return World(
        unseen_labels,
        unseen[["age"]],
        {"equal": some(equal, rng), "worse": some(worse, rng), "better": [(b, a) for a, b in some(worse, rng)]},
        good,
        [one for one in weak if all(WORSE_BY[0] <= excess(other, one) <= WORSE_BY[1] for other in good)],
        broken,
        kind,
    )


def scores(model: Model, features: pd.DataFrame, labels: Labels, kind: Kind) -> Scores:
    """A model's answers; its operating point is chosen on 5,000 rows (few enough of those that trials draw from)."""
    said, task = kind.answers(model, features), kind.task
    point = task.operating_point(said[:5000], labels[:5000], kind.contract.model.threshold)
    return Scores(said, task.predictions(said, point), float(task.losses(said, labels).mean()), point)


def product_of(first: list[Scores], second: list[Scores]) -> list[tuple[Scores, Scores]]:
    return [(a, b) for a in first for b in second]


def excess(production: Scores, shadow: Scores) -> float:
    return shadow.loss / production.loss - 1


def some(pairs: list[tuple[Scores, Scores]], rng: np.random.Generator) -> list[tuple[Scores, Scores]]:
    if len(pairs) < PAIRS:
        raise SystemExit(f"only {len(pairs)} pairs of models differ as they should; {PAIRS} are needed")
    return [pairs[position] for position in rng.permutation(len(pairs))[: 2 * PAIRS]]
