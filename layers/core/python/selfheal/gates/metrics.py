"""F1 by block of time, so that whole rows and resampled ones are measured by the same code."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Tally:
    """What F1 is made of, summed over the rows of each of k blocks: three arrays of shape (k,) or (draws,)."""

    true_positives: NDArray[np.float64]
    predicted: NDArray[np.float64]
    actual: NDArray[np.float64]

    def f1(self) -> NDArray[np.float64]:
        """2 TP / (predicted positives + actual positives), elementwise; 0 where there is neither."""
        return np.divide(
            2 * self.true_positives,
            self.predicted + self.actual,
            out=np.zeros_like(self.true_positives),
            where=self.predicted + self.actual > 0,
        )

    def total(self) -> "Tally":
        """The tally of all blocks together, as arrays of shape (1,)."""
        return self.weighted(np.ones((1, len(self.actual))))

    def weighted(self, weights: NDArray[np.float64]) -> "Tally":
        """Tallies of weighted sums of the blocks; weights have shape (draws, k)."""
        return Tally(weights @ self.true_positives, weights @ self.predicted, weights @ self.actual)


def tally(
    labels: NDArray[np.int8],
    predictions: NDArray[np.int8],
    weights: NDArray[np.float64],
    blocks: NDArray[np.intp],
) -> Tally:
    """Tallies by block; all four arguments have shape (n,)."""
    return Tally(
        np.bincount(blocks, weights * labels * predictions),
        np.bincount(blocks, weights * predictions),
        np.bincount(blocks, weights * labels),
    )


def relative_f1_gain(production: Tally, shadow: Tally) -> NDArray[np.float64]:
    """(shadow - production) / production, elementwise; any F1 at all counts as 1 where production's is 0."""
    before, after = production.f1(), shadow.f1()
    return np.divide(after - before, before, out=np.sign(after), where=before > 0)
