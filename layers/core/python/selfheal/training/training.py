"""The training run: compare candidates on the newest rows, fit the winner on all of its window."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from selfheal.contract import Contract
from selfheal.dataset import Dataset
from selfheal.errors import TrainingImpossible
from selfheal.performance.realised import brier_losses
from selfheal.records.manifest import Candidate
from selfheal.training.calibration import calibrated
from selfheal.training.candidates import RECIPES, Recipe, scores_of
from selfheal.training.metrics import best_f1_threshold, tuning_metrics
from selfheal.training.model import Calibration, FittedModel
from selfheal.training.split import Window, check_trainable, tuning_rows, windows


@dataclass(frozen=True)
class TrainedModel:
    """The winner, fitted on its whole window; metrics are those of its twin on the tuning rows it hadn't seen.

    tuning_probabilities: shape (tuning rows,), what the twin said of the newest rows.
    """

    fitted: FittedModel
    candidates: tuple[Candidate, ...]
    metrics: dict[str, float]
    tuning_probabilities: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Contestant:
    recipe: Recipe
    window: Window
    scores: NDArray[np.float64]
    brier: float


def train(
    dataset: Dataset, contract: Contract, *, seed: int = 0, check_budget: Callable[[], None] = lambda: None
) -> TrainedModel:
    """Train on labelled rows in time order; the same rows and seed give the same model.

    `check_budget` is called before each fit and may raise to end the run.

    Raises:
        TrainingImpossible: too few labels, one class only, or hardly any of a class.
    """
    check_trainable(dataset, contract.policy.retraining.minimum_labels)
    # Sums split over threads come out in another order on another machine, and threads that wait for each other on a
    # busy core make a run of seconds one of minutes.
    with threadpool_limits(1):
        return _Run(dataset, contract, seed, check_budget).result()


class _Run:
    def __init__(self, dataset: Dataset, contract: Contract, seed: int, check_budget: Callable[[], None]) -> None:
        self._dataset, self._contract, self._seed, self._check_budget = dataset, contract, seed, check_budget
        tuning = tuning_rows(dataset)
        self._older = dataset.take(slice(0, len(dataset) - tuning))
        self._newest = dataset.take(slice(len(dataset) - tuning, None))

    def result(self) -> TrainedModel:
        contestants = list(self._contestants())
        winner = min(contestants, key=lambda contestant: contestant.brier)
        labels = self._newest.labels
        calibration = calibrated(winner.scores, labels)
        probabilities = calibration.probabilities(winner.scores)
        threshold = self._threshold(probabilities)
        return TrainedModel(
            fitted=FittedModel(self._refitted(winner), calibration, threshold),
            candidates=tuple(self._record(contestant, winner) for contestant in contestants),
            metrics=tuning_metrics(labels, probabilities, threshold),
            tuning_probabilities=probabilities,
        )

    def _contestants(self) -> Iterator[_Contestant]:
        """Every recipe on the first window, then the best of them on the others."""
        first, *others = windows(self._older, self._contract.policy.retraining.window)
        opened = [self._contestant(recipe, first) for recipe in RECIPES]
        yield from opened
        leader = min(opened, key=lambda contestant: contestant.brier).recipe.name
        (recipe,) = (recipe for recipe in RECIPES if recipe.name == leader)
        yield from (self._contestant(recipe, window) for window in others)

    def _contestant(self, recipe: Recipe, window: Window) -> _Contestant:
        self._check_budget()
        rows = self._older.take(slice(len(self._older) - window.rows, None))
        if len(np.unique(rows.labels)) == 1:
            raise TrainingImpossible(
                f"the window of {window.name} holds one class only: lengthen policy.retraining.window"
            )
        staged = scores_of(recipe.fitted(self._contract, rows, self._seed), self._newest)
        losses = [brier_losses(Calibration().probabilities(scores), self._newest.labels).mean() for scores in staged]
        best = int(np.argmin(losses))
        chosen = recipe.with_trees(best + 1) if recipe.is_boosting else recipe
        return _Contestant(chosen, window, staged[best], float(losses[best]))

    def _refitted(self, winner: _Contestant) -> Pipeline:
        self._check_budget()
        share = winner.window.rows / len(self._older)
        rows = len(self._dataset) if share == 1 else round(share * len(self._dataset))
        return winner.recipe.fitted(
            self._contract, self._dataset.take(slice(len(self._dataset) - rows, None)), self._seed
        )

    def _threshold(self, probabilities: NDArray[np.float64]) -> float:
        asked = self._contract.model.threshold
        return best_f1_threshold(self._newest.labels, probabilities) if asked == "max_f1" else asked

    def _record(self, contestant: _Contestant, winner: _Contestant) -> Candidate:
        probabilities = Calibration().probabilities(contestant.scores)
        return Candidate(
            name=contestant.recipe.name,
            window=contestant.window.name,
            parameters=contestant.recipe.parameters,
            metrics=tuning_metrics(self._newest.labels, probabilities, self._threshold(probabilities)),
            chosen=contestant is winner,
        )
