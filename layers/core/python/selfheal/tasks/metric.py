"""Metrics that follow from sums over rows, so that all rows, blocks of time and resampled ones are measured alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of n rows.

    name: as a contract has it. title: as a sentence has it. is_loss: whether less is better.
    parts: what each row adds, shape (n, m), of its answers, predictions and labels. of_sums: the metric, shape (d,), of
    d sums of parts, shape (d, m).
    """

    name: str
    title: str
    is_loss: bool
    parts: Callable[[Floats, NDArray[Any], NDArray[Any]], Floats]
    of_sums: Callable[[Floats], Floats]

    def sums(
        self,
        answers: Floats,
        predictions: NDArray[Any],
        labels: NDArray[Any],
        weights: Floats,
        blocks: NDArray[np.intp],
    ) -> Floats:
        """The weighted sums of each block, shape (blocks, m); `weights` and `blocks` have shape (n,)."""
        parts = self.parts(answers, predictions, labels)
        return np.column_stack([np.bincount(blocks, weights * part) for part in parts.T])

    def gain(self, before: Floats, after: Floats) -> Floats:
        """How much better `after` is, relative to `before`; both are sums of shape (d, m).

        Where `before` is 0 any score at all counts as a gain of 1; a model without any error can't be improved on.
        """
        was, became = self.of_sums(before), self.of_sums(after)
        sign = -1.0 if self.is_loss else 1.0
        return np.divide(sign * (became - was), was, out=sign * np.sign(became), where=was > 0)

    def of_blocks(self, sums: Floats, draws: Floats) -> Floats:
        """The metric of draws of blocks: `sums` of shape (blocks, m), `draws`, how often each, of shape (d, blocks)."""
        # Column by column: the sums of one don't depend on how many others there are.
        return self.of_sums(np.column_stack([draws @ column for column in np.ascontiguousarray(sums.T)]))

    def value(self, answers: Floats, predictions: NDArray[Any], labels: NDArray[Any]) -> float:
        """The metric of at least one row."""
        parts = np.ascontiguousarray(self.parts(answers, predictions, labels).T)
        return float(self.of_sums(np.array([[part.sum() for part in parts]]))[0])


def mean_metric(name: str, title: str, losses: Callable[[Floats, NDArray[Any], NDArray[Any]], Floats]) -> Metric:
    """The mean of the rows' losses, of answers, predictions and labels."""

    def parts(answers: Floats, predictions: NDArray[Any], labels: NDArray[Any]) -> Floats:
        return np.column_stack([losses(answers, predictions, labels), np.ones(len(labels))])

    return Metric(name, title, is_loss=True, parts=parts, of_sums=mean_of_parts)


def mean_of_parts(sums: Floats) -> Floats:
    """Of sums of (value, 1), shape (d, 2): the mean value, shape (d,); 0 of no rows, as a draw of blocks may hold."""
    return np.divide(sums[:, 0], sums[:, 1], out=np.zeros(len(sums)), where=sums[:, 1] > 0)
