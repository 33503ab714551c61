"""How good answers were: the task's metrics with intervals, and whether one version was worse than another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from selfheal.gates.resampling import BLOCKS, blocks_of, draws_of, interval_of, sign_flip_p_value
from selfheal.tasks import BINARY, Task
from selfheal.tasks.port import Floats, Labels
from selfheal_tools.backtest.records import METRICS, Interval, MetricName, Metrics

SIGNIFICANCE = 0.05


@dataclass(frozen=True, eq=False)
class Answers:
    """n rows in time order, their truth and what was answered.

    timestamps, labels, predictions: shape (n,). probabilities: what a model said, shape (n,) or (n, classes). task:
    what kind of labels and answers they are.
    """

    timestamps: NDArray[np.datetime64]
    labels: Labels
    probabilities: Floats
    predictions: Labels
    task: Task = BINARY

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: slice) -> Self:
        """Some of the rows."""
        return replace(
            self,
            timestamps=self.timestamps[rows],
            labels=self.labels[rows],
            probabilities=self.probabilities[rows],
            predictions=self.predictions[rows],
        )

    @property
    def losses(self) -> Floats:
        """The loss of each row, shape (n,)."""
        return self.task.losses(self.probabilities, self.labels)


def measured(answers: Answers) -> Metrics:
    """The metrics of at least one row. Intervals: ROC AUC by DeLong, the others from drawing blocks of days."""
    values: dict[MetricName, float | None] = {}
    found: dict[MetricName, Interval] = {}
    area = answers.task.roc_auc(answers.probabilities, answers.labels)
    if area is not None:
        values["auc"] = area.value
        if area.low is not None and area.high is not None:
            found["auc"] = (area.low, area.high)
    blocks, said = blocks_of_days(answers.timestamps), (answers.probabilities, answers.predictions, answers.labels)
    number, alike = int(blocks[-1]) + 1, np.ones(len(answers))
    for name in METRICS:
        metric = answers.task.history_metrics.get(name)
        if metric is None:
            continue
        values[name] = metric.value(*said)
        if number > 1:
            found[name] = interval_of(metric.of_blocks(metric.sums(*said, alike, blocks), draws_of(number)))
    return Metrics(rows=len(answers), metrics=values, intervals=found)


def mean_of(metrics: Sequence[Metrics]) -> Metrics:
    """The mean of each metric over several runs of the same rows; the intervals are theirs: 95 % of the runs."""
    columns = {name: [one.metrics[name] for one in metrics] for name in metrics[0].metrics}
    known = {name: np.array([value for value in column if value is not None]) for name, column in columns.items()}
    spread = {
        name: tuple(np.quantile(values, [0.025, 0.975]).tolist()) for name, values in known.items() if len(values)
    }
    means = {name: float(values.mean()) if len(values) else None for name, values in known.items()}
    return Metrics(rows=metrics[0].rows, metrics=means, intervals=spread)


def worse_by(before: Floats, after: Floats, timestamps: NDArray[np.datetime64]) -> tuple[float, float]:
    """Mean rise of the loss from one version to the next on the same rows, and its one-sided p-value.

    The sign-flip test of the gates, by blocks of whole days.
    """
    rise = after - before
    sums = np.bincount(blocks_of_days(timestamps), rise)
    return float(rise.mean()), sign_flip_p_value(sums)


def blocks_of_days(timestamps: NDArray[np.datetime64]) -> NDArray[np.intp]:
    """Shape (n,), from 0 on: at most 25 blocks of whole days, or of rows where there are fewer days than that."""
    days = np.unique(timestamps.astype("datetime64[D]"), return_inverse=True)[1]
    if days[-1] + 1 < BLOCKS:
        return blocks_of(len(timestamps))
    return np.asarray(blocks_of(int(days[-1]) + 1)[days])
