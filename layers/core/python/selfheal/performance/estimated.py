"""Performance before labels come: by what the answers themselves let expect, as the tuning rows teach.

It can't see a concept drift: that the same inputs mean something else only labels can say.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from selfheal.data.moments import as_utc
from selfheal.records.monitoring import Performance
from selfheal.tasks import BINARY, Scored, Task, Unlabelled

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answered:
    """n predictions: when, how likely, which class; and what their rows are like, shape (n, k)."""

    timestamps: NDArray[np.datetime64]
    probabilities: Floats
    predictions: NDArray[np.int8]
    traits: Floats


def estimated_performance(
    answered: Answered,
    tuning_probabilities: Floats,
    tuning_labels: NDArray[np.int8],
    tuning_traits: Floats,
    task: Task = BINARY,
) -> Performance:
    """The task's metrics of the predictions (one at least), each with a 95 % interval.

    The tuning rows, whose labels need some variety, are those that the model's twin hadn't seen.
    """
    rows = Unlabelled(answered.probabilities, answered.predictions, answered.traits)
    measured = task.estimated(rows, Scored(tuning_probabilities, tuning_labels, tuning_traits))
    return Performance(
        estimated=True,
        n=len(answered.probabilities),
        positives=measured.positives,
        oldest=as_utc(answered.timestamps.min()),
        newest=as_utc(answered.timestamps.max()),
        metrics=measured.metrics,
    )
