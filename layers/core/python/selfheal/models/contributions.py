"""What each feature adds to a row's score, and the strongest of them as reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray


type Unit = Literal["log_odds", "probability", "target", "class_score"]


@dataclass(frozen=True, eq=False)
class Contributions:
    """Exact Shapley values of n rows, in the unit of the score.

    unit: log-odds of the positive label; of forests, whose score is the mean of shares, probability; of numbers the
    target's own; of several classes the score of the predicted one, whose differences from the others' are log-odds.
    features: their names. base: the score that an average row has, shape (n,): the same for all rows but where they are
    predicted to be of different classes. added: shape (n, features). scores: shape (n,); each is the base and all that
    its row's features add.
    """

    features: Sequence[str]
    base: "NDArray[float64]"
    added: "NDArray[float64]"
    scores: "NDArray[float64]"
    unit: Unit

    def strongest(self, row: int, count: int) -> list[tuple[str, float]]:
        """The features that move a row's score most, and by how much; the strongest first."""
        added = self.added[row].tolist()
        ranked = sorted(range(len(added)), key=lambda place: -abs(added[place]))
        return [(self.features[place], added[place]) for place in ranked[:count]]
