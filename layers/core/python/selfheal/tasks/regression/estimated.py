"""Performance before labels come, of numbers: direct loss estimation (as NannyML's DLE).

What a row's traits and its answer let expect of the error is learnt on tuning rows by least squares; the interval is by
drawing those rows anew. It can't see a concept drift.
"""

from typing import NamedTuple, Self

import numpy as np

from selfheal.records.monitoring import Estimate
from selfheal.tasks.port import Floats, Scored, Unlabelled
from selfheal.tasks.simulation import estimate_of

DRAWS = 200
SEED = 0
# Towards the mean error: few tuning rows teach little about each trait.
RIDGE = 5.0


class ErrorModel:
    """The expected size of errors, by a quadratic of traits and of the answer's rank among the tuning rows' answers."""

    def __init__(self, tuning: Scored, errors: Floats) -> None:
        self._ordered = np.sort(tuning.answers)
        taught = _design(self._ordered, tuning.answers, tuning.traits)
        self._line = _Line.fitted(taught, errors[:, None], np.ones(len(errors)))

    def of(self, answers: Floats, traits: Floats) -> Floats:
        """Shape (n,)."""
        return self._line.of(_design(self._ordered, answers, traits))[:, 0]


class _Line(NamedTuple):
    """What some sizes are expected to be: `centre` and `most` of shape (sizes,), `coefficients` of (columns, sizes).

    No row is expected to do better or worse than any that taught it.
    """

    centre: Floats
    coefficients: Floats
    most: Floats

    @classmethod
    def fitted(cls, design: Floats, sizes: Floats, weights: Floats) -> Self:
        """By rows of weights that aren't all 0. sizes: shape (n, sizes): all share one decomposition."""
        centre = (weights @ sizes) / weights.sum()
        # The product of a matrix with itself takes half the time of that of two.
        rooted = design * np.sqrt(weights)[:, None]
        scatter = rooted.T @ rooted + RIDGE * np.eye(design.shape[1])
        coefficients = np.linalg.solve(scatter, design.T @ (weights[:, None] * (sizes - centre)))
        return cls(centre, coefficients, sizes.max(axis=0, initial=0.0))

    def of(self, design: Floats) -> Floats:
        """Shape (n, sizes)."""
        return np.clip(self.centre + design @ self.coefficients, 0.0, self.most)


def _design(ordered: Floats, answers: Floats, traits: Floats) -> Floats:
    rank = np.searchsorted(ordered, answers) / max(len(ordered), 1) - 0.5
    known = np.column_stack([rank, np.nan_to_num(traits)])
    return np.column_stack([np.ones(len(answers)), known, np.square(known)])


def estimated(rows: Unlabelled, tuning: Scored) -> dict[str, Estimate]:
    """MAE and RMSE of the rows (one at least), each with a 95 % interval."""
    rng, errors = np.random.default_rng(SEED), tuning.answers - tuning.labels
    ordered, sizes = np.sort(tuning.answers), np.column_stack([np.abs(errors), np.square(errors)])
    taught, asked = (_design(ordered, of.answers, of.traits) for of in (tuning, rows))
    drawn = (rng.multinomial(len(errors), np.full(len(errors), 1 / len(errors))) for _ in range(DRAWS))
    weights = (np.ones(len(errors)), *(one.astype(np.float64) for one in drawn))
    means = np.array([_Line.fitted(taught, sizes, one).of(asked).mean(axis=0) for one in weights])
    found = {"mae": means[:, 0], "rmse": np.sqrt(means[:, 1])}
    return {name: estimate_of(float(values[0]), values[1:]) for name, values in found.items()}
