"""Performance before labels come, of numbers: direct loss estimation (as NannyML's DLE).

What a row's traits and its answer let expect of the error is learnt on tuning rows by least squares; the interval is by
drawing those rows anew. It can't see a concept drift.
"""

import numpy as np
from numpy.typing import NDArray

from selfheal.records.monitoring import Estimate
from selfheal.tasks.port import Floats, Scored, Unlabelled
from selfheal.tasks.simulation import estimate_of

DRAWS = 200
SEED = 0
# Towards the mean error: few tuning rows teach little about each trait.
RIDGE = 5.0


class ErrorModel:
    """The expected size of errors, by a quadratic of traits and of the answer's rank among the tuning rows' answers."""

    def __init__(self, tuning: Scored, errors: Floats, weights: NDArray[np.float64] | None = None) -> None:
        self._ordered = np.sort(tuning.answers)
        design = self._design(tuning.answers, tuning.traits)
        rows = np.ones(len(errors)) if weights is None else weights
        self._centre = float((rows @ errors) / rows.sum())
        scaled = design * rows[:, None]
        penalty = RIDGE * np.eye(design.shape[1])
        self._coefficients = np.linalg.solve(scaled.T @ design + penalty, scaled.T @ (errors - self._centre))
        # No row is expected to do better or worse than any that taught it.
        self._limits = (0.0, float(errors.max(initial=0.0)))

    def of(self, answers: Floats, traits: Floats) -> Floats:
        """Shape (n,)."""
        expected = self._centre + self._design(answers, traits) @ self._coefficients
        return np.clip(expected, *self._limits)

    def _design(self, answers: Floats, traits: Floats) -> Floats:
        rank = np.searchsorted(self._ordered, answers) / max(len(self._ordered), 1) - 0.5
        known = np.column_stack([rank, np.nan_to_num(traits)])
        return np.column_stack([np.ones(len(answers)), known, np.square(known)])


def estimated(rows: Unlabelled, tuning: Scored) -> dict[str, Estimate]:
    """MAE and RMSE of the rows (one at least), each with a 95 % interval."""
    rng, errors = np.random.default_rng(SEED), tuning.answers - tuning.labels
    weights = [None, *(rng.multinomial(len(errors), np.full(len(errors), 1 / len(errors))) for _ in range(DRAWS))]
    absolute = [_mean(rows, tuning, np.abs(errors), drawn) for drawn in weights]
    squared = [_mean(rows, tuning, np.square(errors), drawn) for drawn in weights]
    found = {"mae": np.array(absolute), "rmse": np.sqrt(np.array(squared))}
    return {name: estimate_of(float(values[0]), values[1:]) for name, values in found.items()}


def _mean(rows: Unlabelled, tuning: Scored, errors: Floats, drawn: NDArray[np.int64] | None) -> float:
    model = ErrorModel(tuning, errors, None if drawn is None else drawn.astype(np.float64))
    return float(model.of(rows.answers, rows.traits).mean())
