"""What was answered, in fixed size: numbers of any predictions, and of parts of them added up."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from selfheal.tables.sample import Hashes, smallest

BINS = 10


@dataclass(frozen=True, eq=False)
class Answers:
    """n predictions: each has one value, the probability of the positive or of the predicted class, or a number.

    positives: how many predict the positive class. mean, squares: mean of the values and sum of their squared
    deviations from it. histogram: shape (10,), predictions in each of ten equal bins of probability. sample: shape
    (k,), values of those whose ids have the smallest hashes; hashes: shape (k,). by_class: shape (classes,), how many
    predict each of several classes. are_numbers: of a regression.
    """

    n: int
    positives: int
    mean: float
    squares: float
    histogram: NDArray[np.int64]
    sample: NDArray[np.float64]
    hashes: Hashes
    by_class: NDArray[np.int64]
    are_numbers: bool

    @classmethod
    def of(cls, predictions: NDArray[Any], answers: NDArray[np.float64], hashes: Hashes) -> Self:
        """Of some predictions, as the log holds them; `hashes` are of their ids."""
        classes = answers.shape[1] if answers.ndim > 1 else 0
        probabilities = values_of(answers)
        mean = float(probabilities.mean()) if len(probabilities) else 0.0
        kept = smallest(hashes)
        return cls(
            n=len(probabilities),
            positives=0 if classes else int(predictions.sum()),
            mean=mean,
            squares=float(((probabilities - mean) ** 2).sum()),
            histogram=np.histogram(probabilities, bins=BINS, range=(0.0, 1.0))[0].astype(np.int64),
            sample=probabilities[kept],
            hashes=hashes[kept],
            by_class=(predictions[:, None] == np.arange(classes)).sum(axis=0),
            are_numbers=predictions.dtype == np.float64,
        )

    def __add__(self, other: Self) -> Self:
        """Of the predictions of both (sums of squares as by Chan, Golub and LeVeque 1983)."""
        n = self.n + other.n
        apart = other.mean - self.mean
        hashes = np.concatenate([self.hashes, other.hashes])
        kept = smallest(hashes)
        return type(self)(
            n=n,
            positives=self.positives + other.positives,
            mean=self.mean + apart * other.n / max(n, 1),
            squares=self.squares + other.squares + apart**2 * self.n * other.n / max(n, 1),
            histogram=self.histogram + other.histogram,
            sample=np.concatenate([self.sample, other.sample])[kept],
            hashes=hashes[kept],
            by_class=self.by_class + other.by_class,
            are_numbers=self.are_numbers,
        )


def values_of(answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each row the value that is watched, shape (n,): of several classes the probability of the likeliest."""
    return answers if answers.ndim == 1 else answers.max(axis=1, initial=0.0)
