"""Which rows fit and which tune, and how much of the past is kept; all in time order, oldest first."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from selfheal.data.dataset import Dataset
from selfheal.errors import TrainingBudgetExceeded, TrainingImpossible

TUNING_SHARE = 0.15
# Fewer of a class than this can't tell two candidates apart, nor place a threshold.
MINIMUM_PER_CLASS = 5
# A tuning slice reaches back for this many of the rarer class, but never over more than half of the rows.
WANTED_PER_CLASS = 50
LARGEST_TUNING_SHARE = 0.5
# A recent window shorter than this teaches too little to be worth comparing.
SHORTEST_WINDOW_ROWS = 1000
RECENT_SHARES = (0.5, 0.25)
# After so many newer rows, as a share of all, a row of a fading past counts half.
HALF_LIFE_SHARE = 0.2
# About 3 GB at the peak: a copy for each step of preprocessing; half of it leaves room for two fits at a time.
MOST_VALUES = 40_000_000
# A past that throws rows away has to be this much better on the tuning rows: what is gone can't be had back when an
# old state of the world returns.
CUT_HANDICAP = 1.2


@dataclass(frozen=True, slots=True)
class Past:
    """How much of the past a candidate is fitted on: the newest `share` of the rows, alike or fading with age.

    `handicap` multiplies its loss in comparisons.
    """

    name: str
    share: float = 1.0
    fades: bool = False
    handicap: float = 1.0

    def of(self, rows: Dataset) -> Dataset:
        """The rows that it keeps."""
        return rows.take(slice(len(rows) - max(1, round(self.share * len(rows))), None))

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


def check_trainable(dataset: Dataset, minimum_labels: int) -> None:
    """Raises TrainingImpossible where there are too few labels, one class only, or hardly any of a class."""
    positives, rarer = int(dataset.labels.sum()), _rarer(dataset.labels)
    if len(dataset) < minimum_labels:
        raise TrainingImpossible(f"only {len(dataset)} labelled rows; at least {minimum_labels} are needed")
    if rarer == 0:
        only = "positive" if positives else "negative"
        raise TrainingImpossible(f"all {len(dataset)} labels are {only}: a classifier needs both classes")
    if rarer < 2 * MINIMUM_PER_CLASS:
        raise TrainingImpossible(f"only {rarer} labels of the rarer class; at least {2 * MINIMUM_PER_CLASS} are needed")


def tuning_rows(dataset: Dataset) -> int:
    """How many of the newest rows tune: 15 %, more where that holds too few of the rarer class.

    Raises TrainingImpossible where even half of the rows hold fewer than 5 of a class, or the others do.
    """
    rows = len(dataset)
    enough = rows_with(dataset.labels, WANTED_PER_CLASS)
    chosen = min(max(round(TUNING_SHARE * rows), enough), int(LARGEST_TUNING_SHARE * rows))
    if min(_rarer(dataset.labels[: rows - chosen]), _rarer(dataset.labels[rows - chosen :])) < MINIMUM_PER_CLASS:
        raise TrainingImpossible(
            "the rarer class is missing from the newest or the oldest half of the labels: "
            f"at least {MINIMUM_PER_CLASS} of each class are needed in both"
        )
    return chosen


def pasts(dataset: Dataset, window: Literal["auto", "all"] | int) -> tuple[Past, ...]:
    """The pasts to compare: the policy's own, or for `auto` all, all but fading, the newest half and quarter."""
    if isinstance(window, int):
        return (Past(f"{window} days"),)
    if window == "all":
        return (Past("all"),)
    recent = [Past(f"newest {share:.0%}", share=share, handicap=CUT_HANDICAP) for share in RECENT_SHARES]
    long_enough = [past for past in recent if past.share * len(dataset) >= SHORTEST_WINDOW_ROWS]
    return (Past("all"), Past("fading", fades=True), *long_enough)


def rows_with(labels: NDArray[np.int8], per_class: int) -> int:
    """How many of the newest rows hold that many of each class; one more than there are where none do."""
    positives = np.cumsum(labels[::-1])
    rarer = np.minimum(positives, np.arange(1, len(labels) + 1) - positives)
    return int(np.searchsorted(rarer, per_class)) + 1


def _rarer(labels: NDArray[np.int8]) -> int:
    positives = int(labels.sum())
    return min(positives, len(labels) - positives)
