"""Which rows fit and which tune, and how much of the past is kept; all in time order, oldest first."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from selfheal.errors import TrainingBudgetExceeded, TrainingImpossible
from selfheal.tables.dataset import Dataset
from selfheal.tables.thinning import MOST_VALUES
from selfheal.tasks import BINARY, Task
from selfheal.tasks.port import rows_with, support_of

TUNING_SHARE = 0.15
# More rows hardly tell two candidates apart any better, and are older.
MOST_TUNING_ROWS = 5000
# Less support than this can't tell two candidates apart, nor place a threshold.
MINIMUM_SUPPORT = 5
# A tuning slice reaches back for this much support of its labels, but never over more than half of the rows.
WANTED_SUPPORT = 50
LARGEST_TUNING_SHARE = 0.5
# After so many newer rows, as a share of all, a row of a fading past counts half.
HALF_LIFE_SHARE = 0.2
# So much support a sample holds, where there is as much.
SAMPLED_SUPPORT = 500


@dataclass(frozen=True, slots=True)
class Past:
    """How the rows that a candidate is fitted on count: alike, or fading with age."""

    name: str
    fades: bool = False

    def weights(self, rows: int) -> NDArray[np.float64] | None:
        """The weight of each row, oldest first, shape (rows,); None where all count alike."""
        if not self.fades:
            return None
        age = np.arange(rows)[::-1]
        return np.asarray(0.5 ** (age / (HALF_LIFE_SHARE * rows)))


def within_window(dataset: Dataset, window: Literal["auto", "all"] | int) -> Dataset:
    """The rows of the last so many days where the policy counts days, else all.

    Raises TrainingBudgetExceeded where they are more than training has memory for.
    """
    if isinstance(window, int):
        since = dataset.timestamps[-1] - np.timedelta64(timedelta(days=window))
        dataset = dataset.take(dataset.timestamps >= since)
    if dataset.features.size > MOST_VALUES:
        raise TrainingBudgetExceeded(
            f"{len(dataset)} rows of {dataset.features.shape[1]} features are more than the {MOST_VALUES} values that "
            "training has memory for: set policy.retraining.window to a number of days"
        )
    return dataset


def fits_at_a_time(dataset: Dataset) -> int:
    """Two, unless the rows are so many that there is memory for one alone."""
    return 2 if 2 * dataset.features.size <= MOST_VALUES else 1


def check_trainable(dataset: Dataset, minimum_labels: int, task: Task = BINARY) -> None:
    """Raises TrainingImpossible where there are too few labels, one class only, or hardly any of a class."""
    if len(dataset) < minimum_labels:
        raise TrainingImpossible(f"only {len(dataset)} labelled rows; at least {minimum_labels} are needed")
    if shortage := task.shortage(dataset.labels, 2 * MINIMUM_SUPPORT):
        raise TrainingImpossible(shortage)


def tuning_rows(dataset: Dataset, task: Task = BINARY) -> int:
    """How many of the newest rows tune: 15 %, 5,000 at most, more where that holds too little support.

    Raises TrainingImpossible where even half of the rows hold less support than 5, or the others do.
    """
    rows = len(dataset)
    enough = rows_with(task, dataset.labels, WANTED_SUPPORT)
    chosen = min(max(min(round(TUNING_SHARE * rows), MOST_TUNING_ROWS), enough), int(LARGEST_TUNING_SHARE * rows))
    if min(support_of(task, half) for half in np.split(dataset.labels, [rows - chosen])) < MINIMUM_SUPPORT:
        raise TrainingImpossible(task.uneven(MINIMUM_SUPPORT))
    return chosen


def pasts(window: Literal["auto", "all"] | int) -> tuple[Past, ...]:
    """The pasts to compare: the policy's own, or for `auto` all rows alike and fading."""
    if window == "auto":
        return (Past("all"), Past("fading", fades=True))
    return (Past(window if window == "all" else f"{window} days"),)


def sampled(dataset: Dataset, most: int, seed: int, task: Task = BINARY) -> Dataset:
    """So many of the rows, in their order, or as many as hold a support of 500; all where there are no more."""
    wanted = max(most, ceil(len(dataset) * SAMPLED_SUPPORT / max(1, support_of(task, dataset.labels))))
    if len(dataset) <= wanted:
        return dataset
    return dataset.take(np.sort(np.random.default_rng(seed).choice(len(dataset), wanted, replace=False)))
