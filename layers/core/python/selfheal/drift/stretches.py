"""How long the reference itself held still: the longest stretches of its time in which a feature was mostly the same.

The hour of a day or the month of a year holds one value for whole blocks of time, and so may what changes seldom. Of
all rows together no value is frequent; a window that lies within such a block holds one value alone. Whether that is
usual can't be seen in shares of the whole reference, only in stretches of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Fewer rows in a row may agree by chance: even of a value that half of the rows hold, so many do in one reference of a
# thousand.
FEWEST_ROWS = 30
ROUNDING = 1e-9
# Months, seasons and holidays differ in length: the next one may last half as long again as the longest so far.
MARGIN = 1.5

type Places = NDArray[np.intp]


class Stretch(NamedTuple):
    """How long something went on: in rows, and from the first to the last; None where no times are known."""

    rows: float
    lasts: np.timedelta64 | None

    def covers(self, other: Self) -> bool:
        """Whether it went on for about as long as another one, in rows or in time.

        Either suffices: traffic may be denser than what was trained on, and times of a file may be mere row numbers.
        """
        if self.lasts is not None and other.lasts is not None and MARGIN * self.lasts >= other.lasts:
            return True
        return MARGIN * self.rows >= other.rows


NO_STRETCH = Stretch(0.0, None)


@dataclass(frozen=True, eq=False)
class Times:
    """When rows in time order were made: `moments` of shape (n,), None where only their order is known.

    rows_each: how many rows each stands for, since it is one of a sample.
    """

    moments: NDArray[np.datetime64] | None = None
    rows_each: float = 1.0

    def longest_constant(self, column: pd.Series, share: float) -> Stretch:
        """The longest stretch of a feature in which one value fills this share of its present rows."""
        there = column.notna().to_numpy()
        codes = pd.factorize(column[there])[0]
        order = np.argsort(codes, kind="stable")
        values = np.split(order, np.cumsum(np.bincount(codes))[:-1])
        return self._longest(values, share, there)

    def longest_missing(self, column: pd.Series, share: float) -> Stretch:
        """The longest stretch in which a feature lacks this share of its values."""
        missing = np.flatnonzero(column.isna().to_numpy())
        return self._longest([missing], share, np.ones(len(column), dtype=bool))

    def _longest(self, kinds: Iterable[Places], share: float, among: NDArray[np.bool_]) -> Stretch:
        """Among some rows, of stretches that one kind fills, each kind given by the places of its rows."""
        enough = [places for places in kinds if len(places) >= share * FEWEST_ROWS]
        if not enough:
            return NO_STRETCH
        first, last = (np.concatenate(ends) for ends in zip(*(_longest_from(p, share) for p in enough), strict=True))
        is_long = last - first + 1 >= FEWEST_ROWS
        if not is_long.any():
            return NO_STRETCH
        first, last = first[is_long], last[is_long]
        moments = None if self.moments is None else self.moments[among]
        lasts = None if moments is None else np.timedelta64((moments[last] - moments[first]).max())
        return Stretch(float((last - first + 1).max() * self.rows_each), lasts)


def _longest_from(places: Places, share: float) -> tuple[Places, Places]:
    """From each of some places the farthest other one, so that this share of the stretch is among the given ones.

    From the i-th place to the j-th there are j - i + 1 of them in p_j - p_i + 1 rows. That they are enough is a
    condition on `share * p - rank` of both ends alone, so that the farthest j is found for each i by bisection.
    """
    excess = share * places - np.arange(len(places))
    lowest_from = np.minimum.accumulate(excess[::-1])[::-1]
    farthest = np.searchsorted(lowest_from, excess + (1 - share) + ROUNDING, side="right") - 1
    return places, places[farthest]
