"""How good answers were: four metrics with intervals, and whether one version was worse than another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from selfheal.gates.resampling import BLOCKS, blocks_of, draws_of, interval_of, sign_flip_p_value
from selfheal.tasks import BINARY, intervals
from selfheal.tasks.binary.metrics import F1, log_losses
from selfheal_tools.backtest.records import Interval, MetricName, Metrics

SIGNIFICANCE = 0.05

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Answers:
    """n rows in time order, their truth and what was answered; all arrays of shape (n,)."""

    timestamps: NDArray[np.datetime64]
    labels: NDArray[np.int8]
    probabilities: Floats
    predictions: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: slice) -> Self:
        """Some of the rows."""
        return type(self)(self.timestamps[rows], self.labels[rows], self.probabilities[rows], self.predictions[rows])


def measured(answers: Answers) -> Metrics:
    """The metrics of at least one row. Intervals: ROC AUC by DeLong, the others from drawing blocks of days."""
    auc = intervals.roc_auc(answers.probabilities, answers.labels)
    found: dict[MetricName, Interval] = {}
    if auc.low is not None and auc.high is not None:
        found["auc"] = (auc.low, auc.high)
    blocks = blocks_of_days(answers.timestamps)
    draws, rows = draws_of(int(blocks[-1]) + 1), np.bincount(blocks)
    losses = {
        "brier": BINARY.losses(answers.probabilities, answers.labels),
        "logloss": log_losses(answers.probabilities, answers.labels),
    }
    counts = F1.sums(answers.probabilities, answers.predictions, answers.labels, np.ones(len(answers)), blocks)
    if len(rows) > 1:
        found["f1"] = interval_of(F1.of_sums(draws @ counts))
        found["brier"], found["logloss"] = (
            interval_of((draws @ np.bincount(blocks, values)) / (draws @ rows)) for values in losses.values()
        )
    return Metrics(
        rows=len(answers),
        auc=auc.value,
        f1=float(F1.of_sums(counts.sum(axis=0, keepdims=True))[0]),
        brier=float(losses["brier"].mean()),
        logloss=float(losses["logloss"].mean()),
        intervals=found,
    )


def mean_of(metrics: Sequence[Metrics]) -> Metrics:
    """The mean of each metric over several runs of the same rows; the intervals are theirs: 95 % of the runs."""
    columns = {name: np.array([getattr(one, name) for one in metrics]) for name in ("f1", "brier", "logloss")}
    areas = np.array([one.auc for one in metrics if one.auc is not None])
    known: dict[MetricName, Floats] = {
        "f1": columns["f1"],
        "brier": columns["brier"],
        "logloss": columns["logloss"],
        **({"auc": areas} if len(areas) else {}),
    }
    spread = {name: tuple(np.quantile(values, [0.025, 0.975]).tolist()) for name, values in known.items()}
    return Metrics(
        rows=metrics[0].rows,
        auc=float(areas.mean()) if len(areas) else None,
        **{name: float(values.mean()) for name, values in columns.items()},
        intervals=spread,
    )


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
