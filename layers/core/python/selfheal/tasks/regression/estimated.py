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
        self._line = _Line.fitted(_design(self._ordered, tuning.answers, tuning.traits), errors, np.ones(len(errors)))

    def of(self, answers: Floats, traits: Floats) -> Floats:
        """Shape (n,)."""
        return self._line.of(_design(self._ordered, answers, traits))


class _Line(NamedTuple):
    """No row is expected to do better or worse than any that taught it."""

    centre: float
    coefficients: Floats
    most: float

    @classmethod
    def fitted(cls, design: Floats, errors: Floats, weights: Floats) -> Self:
        centre = float((weights @ errors) / weights.sum())
        scaled = design * weights[:, None]
        penalty = RIDGE * np.eye(design.shape[1])
        coefficients = np.linalg.solve(scaled.T @ design + penalty, scaled.T @ (errors - centre))
        return cls(centre, coefficients, float(errors.max(initial=0.0)))

    def of(self, design: Floats) -> Floats:
        return np.clip(self.centre + design @ self.coefficients, 0.0, self.most)


def _design(ordered: Floats, answers: Floats, traits: Floats) -> Floats:
    rank = np.searchsorted(ordered, answers) / max(len(ordered), 1) - 0.5
    known = np.column_stack([rank, np.nan_to_num(traits)])
    return np.column_stack([np.ones(len(answers)), known, np.square(known)])


def estimated(rows: Unlabelled, tuning: Scored) -> dict[str, Estimate]:
    """MAE and RMSE of the rows (one at least), each with a 95 % interval."""
    rng, errors = np.random.default_rng(SEED), tuning.answers - tuning.labels
    ordered = np.sort(tuning.answers)
    taught, asked = (_design(ordered, of.answers, of.traits) for of in (tuning, rows))
    drawn = (rng.multinomial(len(errors), np.full(len(errors), 1 / len(errors))) for _ in range(DRAWS))
    weights = [np.ones(len(errors)), *(one.astype(np.float64) for one in drawn)]
    absolute, squared = (
        np.array([float(_Line.fitted(taught, sizes, one).of(asked).mean()) for one in weights])
        for sizes in (np.abs(errors), np.square(errors))
    )
    found = {"mae": absolute, "rmse": np.sqrt(squared)}
    return {name: estimate_of(float(values[0]), values[1:]) for name, values in found.items()}
