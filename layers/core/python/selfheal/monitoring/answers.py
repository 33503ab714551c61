"""What was answered, in fixed size: numbers of any predictions, and of parts of them added up."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from selfheal.tables.sample import Hashes, smallest

BINS = 10


@dataclass(frozen=True, eq=False)
class Answers:
    """n predictions.

    positives: how many predict the positive class. mean, squares: mean of the probabilities and sum of their squared
    deviations from it. histogram: shape (10,), predictions in each of ten equal bins of probability. sample: shape
    (k,), probabilities of those whose ids have the smallest hashes; hashes: shape (k,).
    """

    n: int
    positives: int
    mean: float
    squares: float
    histogram: NDArray[np.int64]
    sample: NDArray[np.float64]
    hashes: Hashes

    @classmethod
    def of(cls, predictions: NDArray[np.int8], probabilities: NDArray[np.float64], hashes: Hashes) -> Self:
        """Of some predictions, shape (n,) each; `hashes` are of their ids."""
        mean = float(probabilities.mean()) if len(probabilities) else 0.0
        kept = smallest(hashes)
        return cls(
            n=len(probabilities),
            positives=int(predictions.sum()),
            mean=mean,
            squares=float(((probabilities - mean) ** 2).sum()),
            histogram=np.histogram(probabilities, bins=BINS, range=(0.0, 1.0))[0].astype(np.int64),
            sample=probabilities[kept],
            hashes=hashes[kept],
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
        )
