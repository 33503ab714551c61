"""What a model is to everybody who asks it: answers to rows. Nothing here knows how it is stored or was trained."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfheal.models.contributions import Contributions


class Model(Protocol):
    """A trained version, ready to answer rows that are valid under its contract."""

    @property
    def threshold(self) -> float:
        """The operating point: a row is predicted positive from this probability on."""
        ...

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of all inputs, in the order of the contract."""
        ...

    @property
    def category_features(self) -> frozenset[str]:
        """Names of the inputs that are texts; all others are numbers."""
        ...

    def probabilities(self, rows: Sequence[Mapping[str, Any]]) -> list[float]:
        """The probability of the positive label for each row; an absent feature is missing."""
        ...

    def probabilities_of(self, columns: "Mapping[str, NDArray[Any]]") -> "NDArray[Any]":
        """The same for columns of shape (n,) by feature: float64 (missing is NaN), or object (str, missing is None).

        Returns an array of shape (n,), float64, with the same bits.
        """
        ...

    def contributions(self, columns: "Mapping[str, NDArray[Any]]") -> "Contributions":
        """What each feature adds to the score of each row; columns as for `probabilities_of`.

        Raises ReasonsUnavailable where the version doesn't hold what that takes.
        """
        ...

    def columns_of(self, rows: Sequence[Mapping[str, Any]]) -> "dict[str, NDArray[Any]]":
        """Rows as columns by feature."""
        ...
