"""The linear estimator: `{"kind": "linear", "intercept", "coefficients"}`, one coefficient a column.

`expected`, which may be absent, is what each column adds on average over the rows that taught the model: coefficient
times mean. Answers don't need it, reasons for them do.
"""

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
    expected: list[float] | None = None

    @classmethod
    def parse(cls, raw: Any, path: str, columns: Sequence[int]) -> Self:
        """From the file; `columns` says which hold codes. Raises ArtefactRefused."""
        found = checks.table(raw, path, {"kind", "intercept", "coefficients"}, {"expected"})
        coefficients = checks.numbers(found["coefficients"], f"{path}.coefficients")
        checks.of_length(coefficients, f"{path}.coefficients", len(columns))
        if any(columns):
            raise checks.refuse(path, "a linear estimator can't read a column of codes")
        expected = checks.numbers(found["expected"], f"{path}.expected") if "expected" in found else None
        if expected is not None:
            checks.of_length(expected, f"{path}.expected", len(columns))
        return cls(checks.number(found["intercept"], f"{path}.intercept"), coefficients, expected)

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
