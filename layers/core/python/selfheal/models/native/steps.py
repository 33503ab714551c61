"""What is done to one number on its way to the estimator; each step for one value and for many gives the same bits.

Only single operations of IEEE 754 are used, in one order, so that no compiler can fuse them into different ones.
"""

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, Self

from selfheal.models.native import checks
from selfheal.models.native.functions import PLAIN, Power, parse_function
from selfheal.models.native.pieces import Pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Numbers = NDArray[Any]


class Step(Protocol):
    """One step; `x` may be NaN, which is a missing value."""

    def one(self, x: float) -> float:
        """The step's result for one value."""
        ...

    def many(self, x: "Numbers") -> "Numbers":
        """The same for an array of shape (n,), float64."""
        ...


@dataclass(frozen=True, slots=True)
class Impute:
    """A missing value becomes a fixed one. `{"kind": "impute", "value"}`."""

    value: float

    @classmethod
    def parse(cls, raw: Any, path: str) -> Self:
        """Raises ArtefactRefused."""
        return cls(checks.number(checks.table(raw, path, {"kind", "value"})["value"], f"{path}.value"))

    def one(self, x: float) -> float:
        """See Step."""
        return self.value if math.isnan(x) else x

    def many(self, x: "Numbers") -> "Numbers":
        """See Step."""
        import numpy as np

        return np.where(np.isnan(x), self.value, x)


@dataclass(frozen=True, slots=True)
class Missing:
    """1 where the value is missing, else 0. `{"kind": "missing"}`."""

    @classmethod
    def parse(cls, raw: Any, path: str) -> Self:
        """Raises ArtefactRefused."""
        checks.table(raw, path, {"kind"})
        return cls()

    def one(self, x: float) -> float:
        """See Step."""
        return 1.0 if math.isnan(x) else 0.0

    def many(self, x: "Numbers") -> "Numbers":
        """See Step."""
        import numpy as np

        return np.isnan(x).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Standardise:
    """(x - mean) / scale. `{"kind": "standardise", "mean", "scale"}`."""

    mean: float
    scale: float

    @classmethod
    def parse(cls, raw: Any, path: str) -> Self:
        """Raises ArtefactRefused."""
        found = checks.table(raw, path, {"kind", "mean", "scale"})
        scale = checks.number(found["scale"], f"{path}.scale")
        if scale <= 0:
            raise checks.refuse(f"{path}.scale", "not above 0")
        return cls(checks.number(found["mean"], f"{path}.mean"), scale)

    def one(self, x: float) -> float:
        """See Step."""
        return (x - self.mean) / self.scale

    def many(self, x: "Numbers") -> "Numbers":
        """See Step."""
        return (x - self.mean) / self.scale


@dataclass(frozen=True, slots=True)
class Quantile:
    """The share of training values below x, straight lines between the knots. `{"kind": "quantile", ...}`.

    `knots` rise strictly. On a knot the result is `at`; between two knots it runs from `after` the lower one to
    `before` the upper one; outside it is that of the nearest knot. A knot on which many training values lie is a jump.
    scikit-learn interpolates forth and back and takes the mean; so does this, for the same bits. Where models are
    blended, the same step holds the sum of several such curves, whose values are no shares any more.
    """

    knots: list[float]
    at: list[float]
    before: list[float]
    after: list[float]

    @classmethod
    def parse(cls, raw: Any, path: str) -> Self:
        """Raises ArtefactRefused."""
        names = ("knots", "at", "before", "after")
        found = checks.table(raw, path, {"kind", *names})
        lists = [checks.numbers(found[name], f"{path}.{name}") for name in names]
        knots = lists[0]
        if not knots or any(low >= high for low, high in pairwise(knots)):
            raise checks.refuse(f"{path}.knots", "they don't rise strictly")
        if not math.isfinite(knots[-1] - knots[0]):
            raise checks.refuse(f"{path}.knots", "their range is not finite")
        for name, values in zip(names, lists, strict=True):
            checks.of_length(values, f"{path}.{name}", len(knots))
        return cls(*lists)

    def one(self, x: float) -> float:
        """See Step."""
        if math.isnan(x):
            return x
        upper = bisect_left(self.knots, x)
        if upper == len(self.knots):
            return self.at[-1]
        if upper == 0 or self.knots[upper] == x:
            return self.at[upper]
        lower = upper - 1
        slope = (self.before[upper] - self.after[lower]) / (self.knots[upper] - self.knots[lower])
        forth = slope * (x - self.knots[lower]) + self.after[lower]
        back = slope * (self.knots[upper] - x) - self.before[upper]
        return 0.5 * (forth - back)

    def many(self, x: "Numbers") -> "Numbers":
        """See Step."""
        import numpy as np

        knots, at, before, after = (np.array(values) for values in (self.knots, self.at, self.before, self.after))
        upper = np.minimum(np.searchsorted(knots, x), len(knots) - 1)
        lower = np.maximum(upper - 1, 0)
        width = knots[upper] - knots[lower]
        slope = (before[upper] - after[lower]) / np.where(width > 0, width, 1.0)
        forth = slope * (x - knots[lower]) + after[lower]
        back = slope * (knots[upper] - x) - before[upper]
        between = 0.5 * (forth - back)
        outside = (upper == 0) | (x >= knots[upper])
        return np.where(np.isnan(x), x, np.where(outside, at[upper], between))


@dataclass(frozen=True, slots=True)
class Scale:
    """factor * x + offset, perhaps held within limits. `{"kind": "scale", "factor", "offset"}`, `low` and `high`."""

    factor: float
    offset: float
    limits: tuple[float, float] | None = None

    @classmethod
    def parse(cls, raw: Any, path: str) -> Self:
        """Raises ArtefactRefused."""
        found = checks.table(raw, path, {"kind", "factor", "offset"}, {"low", "high"})
        factor, offset = (checks.number(found[name], f"{path}.{name}") for name in ("factor", "offset"))
        if not found.keys() & {"low", "high"}:
            return cls(factor, offset)
        low, high = (checks.number(found.get(name), f"{path}.{name}") for name in ("low", "high"))
        if low > high:
            raise checks.refuse(path, "its low limit is above the high one")
        return cls(factor, offset, (low, high))

    def one(self, x: float) -> float:
        """See Step."""
        scaled = x * self.factor + self.offset
        if self.limits is None or math.isnan(scaled):
            return scaled
        return min(max(scaled, self.limits[0]), self.limits[1])

    def many(self, x: "Numbers") -> "Numbers":
        """See Step."""
        import numpy as np

        scaled = x * self.factor + self.offset
        return scaled if self.limits is None else np.clip(scaled, *self.limits)


PARSERS: dict[str, Callable[[Any, str], Step]] = {
    "impute": Impute.parse,
    "missing": Missing.parse,
    "standardise": Standardise.parse,
    "scale": Scale.parse,
    "quantile": Quantile.parse,
    "pieces": Pieces.parse,
    "power": Power.parse,
    **dict.fromkeys(PLAIN, parse_function),
}


def parse_step(raw: Any, path: str) -> Step:
    """One step of the file. Raises ArtefactRefused."""
    kind = raw.get("kind") if type(raw) is dict else None
    if type(kind) is not str or kind not in PARSERS:
        raise checks.refuse(f"{path}.kind", f"not one of {sorted(PARSERS)}")
    return PARSERS[kind](raw, path)
