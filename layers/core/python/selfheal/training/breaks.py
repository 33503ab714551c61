"""After an abrupt change: how few of the newest rows still mean what they say.

The rows since the change may be one in fifty, too few to be seen on the tuning rows, most of which are older. So
pasts that halve down to a few hundred rows are compared on the very newest rows alone. Those are few and judge noisily:
a shorter past is taken only where it is better by more than two standard errors of the paired difference (the rule of
Breiman et al., Classification and Regression Trees, 1984, section 3.4.3, with two in place of one).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.models.trainer import Begin
from selfheal.tables.dataset import Dataset
from selfheal.tasks import BINARY, Task
from selfheal.tasks.port import rows_with, support_of
from selfheal.training.candidates import classes_of, quick_boosting, scores_of
from selfheal.training.parallel import in_parallel
from selfheal.training.split import Past, fits_at_a_time, sampled

# The newest rows that judge have this support (rows of the rarer class), and are at least so many.
JUDGING_SUPPORT = 50
JUDGING_ROWS = 200
# A shorter past, or one with less support, teaches too little to be worth comparing.
SHORTEST_ROWS = 200
SHORTEST_SUPPORT = 20
# A sample of a longer past teaches nearly as well.
TEACHING_ROWS = 20_000
STANDARD_ERRORS = 2.0
EVERYTHING = Past("all")


@dataclass(frozen=True, eq=False)
class Trial:
    """A model fitted on the newest `rows` rows: its losses on the judging rows, shape (m,)."""

    rows: int
    losses: NDArray[np.float64]


def rows_since_break(dataset: Dataset, contract: Contract, seed: int, begin: Begin, task: Task = BINARY) -> int:
    """How many of the newest rows to train on: all of them, unless the newest rows clearly speak for fewer."""
    judging = max(JUDGING_ROWS, rows_with(task, dataset.labels, JUDGING_SUPPORT))

    def trial(rows: int) -> Trial:
        begin(f"looking for a break: the newest {rows:,} rows")
        return _trial(rows, dataset, judging, contract, seed, task)

    lengths = _halvings(dataset, judging, task)
    # Every other length first: mostly they see no break, and then there is none to be placed.
    tried = in_parallel(trial, lengths[::2], at_a_time=fits_at_a_time(dataset))
    if tried and _longest_that_is_as_good(tried) < len(dataset):
        tried += in_parallel(trial, lengths[1::2], at_a_time=fits_at_a_time(dataset))
    return _longest_that_is_as_good(tried) if tried else len(dataset)


def _halvings(dataset: Dataset, judging: int, task: Task) -> list[int]:
    """All rows, the newest half, quarter and so on, as long as enough of them are older than the judging ones."""
    lengths: list[int] = []
    rows = len(dataset)
    while True:
        teaching = dataset.labels[len(dataset) - rows : max(len(dataset) - judging, 0)]
        if len(teaching) < SHORTEST_ROWS or support_of(task, teaching) < SHORTEST_SUPPORT:
            return lengths
        lengths.append(rows)
        rows //= 2


def _trial(rows: int, dataset: Dataset, judging: int, contract: Contract, seed: int, task: Task) -> Trial:
    end = len(dataset) - judging
    teaching = sampled(dataset.take(slice(len(dataset) - rows, end)), TEACHING_ROWS, seed, task)
    judges = dataset.take(slice(end, None))
    classes = classes_of(contract)
    recipe = quick_boosting(contract.model.task, classes)
    staged = scores_of(recipe.fitted(contract, teaching, EVERYTHING, seed), judges, classes)
    losses = [task.losses(task.answers(scores), judges.labels) for scores in staged]
    return Trial(rows, min(losses, key=np.mean))


def _longest_that_is_as_good(trials: Sequence[Trial]) -> int:
    best = min(trials, key=lambda trial: float(trial.losses.mean()))
    for trial in sorted(trials, key=lambda trial: -trial.rows):
        excess = trial.losses - best.losses
        if excess.mean() <= STANDARD_ERRORS * excess.std(ddof=1) / np.sqrt(len(excess)):
            return trial.rows
    return best.rows
