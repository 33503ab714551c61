"""The linear estimator: `{"kind": "linear", "intercept", "coefficients"}`, one coefficient a column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from selfheal.models.native import checks

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Linear:
    """intercept + coefficient * column, added up in the order of the columns."""

    intercept: float
    coefficients: list[float]

    @classmethod
    def parse(cls, raw: Any, path: str, columns: Sequence[int]) -> Self:
        """From the file; `columns` says which hold codes. Raises ArtefactRefused."""
        found = checks.table(raw, path, {"kind", "intercept", "coefficients"})
        coefficients = checks.numbers(found["coefficients"], f"{path}.coefficients")
        checks.of_length(coefficients, f"{path}.coefficients", len(columns))
        if any(columns):
            raise checks.refuse(path, "a linear estimator can't read a column of codes")
        return cls(checks.number(found["intercept"], f"{path}.intercept"), coefficients)

    def one(self, cells: Sequence[Any]) -> float:
        """The score of one row."""
        score = self.intercept
        for coefficient, x in zip(self.coefficients, cells, strict=True):
            score = score + coefficient * x
        return score

    def many(self, columns: "Sequence[NDArray[Any]]", rows: int) -> "NDArray[Any]":
        """The scores of many rows, shape (rows,), with the same bits."""
        import numpy as np

        score = np.full(rows, self.intercept)
        for coefficient, x in zip(self.coefficients, columns, strict=True):
            score += coefficient * x
        return score
