"""How rows become a model: the port of trainers, and what one hands back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.models.fitted import FittedModel
from selfheal.records.manifest import Candidate
from selfheal.tables.dataset import Dataset


class Curves(TypedDict):
    """What a person judges a training run by, all of the tuning rows.

    learning: for each candidate the mean loss by number of trees (one value where it has none). Of a binary target
    reliability: for each tenth of the rows by probability, the mean probability and the share of positives; and f1:
    threshold and F1.
    """

    learning: dict[str, list[float]]
    reliability: list[tuple[float, float]]
    f1: list[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """The winner, fitted on all rows that its pasts keep; and its twin, which hadn't seen the tuning rows.

    rows: how many of the newest rows were trained on; fewer than all where an older world was let go.
    tuning_probabilities: what the twin said of the newest rows, shape (tuning rows,) or (tuning rows, classes).
    metrics: of these.
    """

    rows: int
    fitted: FittedModel
    candidates: tuple[Candidate, ...]
    metrics: dict[str, float]
    tuning_probabilities: NDArray[np.float64]
    curves: Curves


# Told the step of a training that begins; ends the run by raising.
type Begin = Callable[[str], None]


class Trainer(Protocol):
    """Labelled rows in time order in, a fitted model and its record out; the same rows and seed give the same model."""

    def __call__(self, dataset: Dataset, contract: Contract, *, seed: int = 0, begin: Begin = ...) -> TrainedModel:
        """Train; `begin` is told each step before it begins, in words for people, and may raise to end the run.

        Raises:
            TrainingImpossible: too few labels, one class only, or hardly any of a class.
            TrainingBudgetExceeded: more values than fit into a function's memory.
            TrainerFailed: code of the user's own failed.
        """
        ...


def unwatched(step: str) -> None:
    """Nobody watches this training, and nothing ends it."""
    del step
