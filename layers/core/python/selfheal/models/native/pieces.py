"""A number through polynomials between knots: bins, splines, and what a calibration by steps or lines says."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from selfheal.models.native import checks

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A polynomial of higher degree is none that a spline has.
MOST_COEFFICIENTS = 10


@dataclass(frozen=True, slots=True)
class Pieces:
    """`{"kind": "pieces", "knots", "origins", "pieces"}`: a polynomial below, between each two, and above the knots.

    `knots` don't fall. A number on a knot belongs to the piece above it. Each piece has an origin o and coefficients
    c0, c1, ...: the result is c0 + c1 (x - o) + c2 (x - o)^2 ..., by Horner's rule.
    """

    knots: list[float]
    origins: list[float]
    pieces: list[list[float]]

    @classmethod
    def parse(cls, raw: Any, path: str) -> Self:
        """Raises ArtefactRefused."""
        found = checks.table(raw, path, {"kind", "knots", "origins", "pieces"})
        knots, origins = (checks.numbers(found[name], f"{path}.{name}") for name in ("knots", "origins"))
        if any(low > high for low, high in pairwise(knots)):
            raise checks.refuse(f"{path}.knots", "they fall")
        pieces = [
            checks.numbers(piece, f"{path}.pieces.{place}")
            for place, piece in enumerate(checks.items(found["pieces"], f"{path}.pieces"))
        ]
        for name, values in (("origins", origins), ("pieces", pieces)):
            checks.of_length(values, f"{path}.{name}", len(knots) + 1)
        if not all(0 < len(piece) <= MOST_COEFFICIENTS for piece in pieces):
            raise checks.refuse(f"{path}.pieces", f"one has none or more than {MOST_COEFFICIENTS} coefficients")
        return cls(knots, origins, pieces)

    def one(self, x: float) -> float:
        """See Step."""
        if math.isnan(x):
            return x
        place = bisect_right(self.knots, x)
        distance, (*lower, result) = x - self.origins[place], self.pieces[place]
        for coefficient in reversed(lower):
            result = result * distance + coefficient
        return result

    def many(self, x: "NDArray[Any]") -> "NDArray[Any]":
        """See Step."""
        import numpy as np

        place = np.searchsorted(np.array(self.knots), x, side="right")
        # NaN sorts above all.
        result = np.full(len(x), np.nan)
        for number in np.unique(place).tolist():
            own = place == number
            distance, (*lower, value) = x[own] - self.origins[number], self.pieces[number]
            of_piece = np.full(len(distance), value)
            for coefficient in reversed(lower):
                of_piece = of_piece * distance + coefficient
            result[own] = of_piece
        return np.where(np.isnan(x), x, result)
