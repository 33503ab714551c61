"""The Wasserstein-1 distance of a reference from values on its grid, in the feature's own unit.

Where two distributions don't cross within a gap between knots, the area between them follows from the number and the
sum of the values in it. Where they do, the values are taken to spread over the gap as a beta distribution with their
mean and variance; one or two values, as evenly around their mean.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

from selfheal.drift.grid import Grid, Placed

# So many of the reference's values tell how it rises within gaps.
MOST_POINTS = 8192
FEW = 2
SMALLEST_VARIANCE = 1e-12

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ReferenceArea:
    """A reference of values between the first and the last of k knots, k two at least, made ready.

    widths: of the gaps, shape (k - 1,). means: mean of the distribution function over each. first, last: positions of
    a gap's first and last step. gap, start, end, height: of each step of the distribution function, shape (s,): the gap
    it lies in, from where to where in it, as a share of its width, and how high it is.
    """

    widths: Floats
    means: Floats
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    gap: NDArray[np.intp]
    start: Floats
    end: Floats
    height: Floats

    @classmethod
    def of(cls, grid: Grid, ordered: Floats) -> Self:
        """Of sorted values without NaN; there must be one at least."""
        points = np.unique(ordered)
        points = points[np.linspace(0, len(points) - 1, min(len(points), MOST_POINTS)).round().astype(np.intp)]
        edges = np.unique(np.append(points, grid.knots))
        edges = edges[(edges >= grid.knots[0]) & (edges <= grid.knots[-1])]
        gap = np.searchsorted(grid.knots, edges[:-1], side="right") - 1
        low, width = grid.knots[gap], grid.widths[gap]
        after = np.searchsorted(ordered, edges[:-1], side="right")
        before = np.searchsorted(ordered, edges[1:])
        first = np.searchsorted(gap, np.arange(len(grid.widths)))
        return cls(
            widths=grid.widths,
            means=_means(grid, ordered),
            first=first,
            last=np.append(first[1:], len(gap)) - 1,
            gap=gap,
            start=(edges[:-1] - low) / width,
            end=np.minimum((edges[1:] - low) / width, 1.0),
            # Where points were left out the step is as high as its middle.
            height=(after + before) / (2 * len(ordered)),
        )

    def distance(self, placed: Placed) -> float:
        """From values of which there must be one at least."""
        inner = placed.counts[2:-1:2]
        total = int(placed.counts.sum())
        tails = float(placed.sums[-1] - placed.sums[0]) / total
        gaps = _Gaps(
            lows=np.cumsum(placed.counts)[1:-2:2] / total,
            rises=inner / total,
            means=placed.sums[1:-1] / np.maximum(inner, 1),
            squares=placed.squares[1:-1] / np.maximum(inner, 1),
            is_few=inner <= FEW,
        )
        areas = np.abs(self.means - gaps.lows - gaps.rises * (1 - gaps.means))
        crossed = (
            (inner > 0) & (self.height[self.first] < gaps.lows + gaps.rises) & (self.height[self.last] > gaps.lows)
        )
        steps = np.flatnonzero(crossed[self.gap])
        within = np.bincount(self.gap[steps], weights=self._areas(gaps, steps), minlength=len(areas))
        # However the values spread, the area is at least the difference of the two means.
        return tails + float((np.maximum(areas, within) * self.widths).sum())

    def _areas(self, gaps: "_Gaps", steps: NDArray[np.intp]) -> Floats:
        """Area between some steps and the values' distribution, over the width of the gap."""
        gap, start, end = self.gap[steps], self.start[steps], self.end[steps]
        height = self.height[steps] - gaps.lows[gap]
        found = np.zeros(len(steps))
        for spread, chosen in ((_Even, gaps.is_few[gap]), (_Beta, ~gaps.is_few[gap])):
            mine, rise = gap[chosen], gaps.rises[gap[chosen]]
            shape = spread(gaps.means[mine], np.maximum(gaps.squares[mine] - gaps.means[mine] ** 2, SMALLEST_VARIANCE))
            share = height[chosen] / rise
            low, high = start[chosen], end[chosen]
            turn = np.clip(shape.quantile(np.clip(share, 0.0, 1.0)), low, high)
            at_low, at_turn, at_high = (shape.area(place) - share * place for place in (low, turn, high))
            found[chosen] = rise * (np.abs(at_turn - at_low) + np.abs(at_high - at_turn))
        return found


@dataclass(frozen=True, eq=False)
class _Gaps:
    """The values in each gap: their distribution function at its beginning, how far it rises, where they lie."""

    lows: Floats
    rises: Floats
    means: Floats
    squares: Floats
    is_few: NDArray[np.bool_]


class _Even:
    """Evenly around the mean."""

    def __init__(self, mean: Floats, variance: Floats) -> None:
        self._middle, self._reach = mean, np.sqrt(3 * variance)

    def quantile(self, share: Floats) -> Floats:
        return self._middle + (2 * share - 1) * self._reach

    def area(self, place: Floats) -> Floats:
        """Below the distribution function, up to a place."""
        inside = np.clip((place - self._middle) / self._reach, -1.0, 1.0) + 1
        return inside**2 / 4 * self._reach + np.maximum(place - self._middle - self._reach, 0.0)


class _Beta:
    """As a beta distribution."""

    def __init__(self, mean: Floats, variance: Floats) -> None:
        mean = np.clip(mean, 1e-9, 1 - 1e-9)
        weight = np.clip(mean * (1 - mean) / variance - 1, 1e-3, 1e7)
        self._first, self._second = mean * weight, (1 - mean) * weight

    def quantile(self, share: Floats) -> Floats:
        return np.asarray(special.betaincinv(self._first, self._second, share))

    def area(self, place: Floats) -> Floats:
        """Below the distribution function, up to a place."""
        mean = self._first / (self._first + self._second)
        below = special.betainc(self._first, self._second, place)
        return np.asarray(place * below - mean * special.betainc(self._first + 1, self._second, place))


def _means(grid: Grid, ordered: Floats) -> Floats:
    """Mean of the reference's distribution function over each gap."""
    placed = grid.placed(ordered)
    inner = placed.counts[2:-1:2]
    return (np.cumsum(placed.counts)[1:-2:2] + inner - placed.sums[1:-1]) / len(ordered)
