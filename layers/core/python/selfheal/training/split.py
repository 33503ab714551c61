"""Which rows fit and which tune, and how much of the past is kept; all in time order, oldest first."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np

from selfheal.dataset import Dataset
from selfheal.errors import TrainingImpossible

TUNING_SHARE = 0.15
# Fewer of a class than this can't tell two candidates apart, nor place a threshold.
MINIMUM_PER_CLASS = 5
# A tuning slice reaches back for this many of the rarer class, but never over more than half of the rows.
WANTED_PER_CLASS = 50
LARGEST_TUNING_SHARE = 0.5
# A recent window shorter than this teaches too little to be worth comparing.
SHORTEST_WINDOW_ROWS = 1000
RECENT_SHARES = (0.5, 0.25)


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the past that a candidate may be fitted on: its newest `rows` rows."""

    name: str
    rows: int


def check_trainable(dataset: Dataset, minimum_labels: int) -> None:
    """Raises TrainingImpossible where there are too few labels, one class only, or hardly any of a class."""
    positives = int(dataset.labels.sum())
    rarer = min(positives, len(dataset) - positives)
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
    positives = np.cumsum(dataset.labels[::-1])
    rarer = np.minimum(positives, np.arange(1, rows + 1) - positives)
    enough = int(np.searchsorted(rarer, WANTED_PER_CLASS)) + 1
    chosen = min(max(round(TUNING_SHARE * rows), enough), int(LARGEST_TUNING_SHARE * rows))
    fitting = dataset.labels[: rows - chosen]
    if min(rarer[chosen - 1], fitting.sum(), len(fitting) - fitting.sum()) < MINIMUM_PER_CLASS:
        raise TrainingImpossible(
            "the rarer class is missing from the newest or the oldest half of the labels: "
            f"at least {MINIMUM_PER_CLASS} of each class are needed in both"
        )
    return chosen


def windows(dataset: Dataset, policy: Literal["auto", "all"] | int) -> tuple[Window, ...]:
    """The windows to compare: one that the policy names; for `auto` all of the past, its newest half and quarter."""
    rows = len(dataset)
    if isinstance(policy, int):
        since = dataset.timestamps[-1] - np.timedelta64(timedelta(days=policy))
        return (Window(f"{policy} days", int((dataset.timestamps >= since).sum())),)
    if policy == "all":
        return (Window("all", rows),)
    recent = [Window(f"newest {share:.0%}", int(share * rows)) for share in RECENT_SHARES]
    return (Window("all", rows), *[window for window in recent if window.rows >= SHORTEST_WINDOW_ROWS])
