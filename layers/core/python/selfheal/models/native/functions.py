"""Numbers through functions of the C library, one at a time: numpy's own have other bits.

- `{"kind": "expit"}`: 1 / (1 + exp(-x)); `{"kind": "log_odds"}` and `{"kind": "log"}`: of a share, held off 0 and 1;
- `{"kind": "log1p"}`: log(1 + x), NaN below -1;
- `{"kind": "normal"}`: of a share the normal distribution's quantile, as scikit-learn's QuantileTransformer has it;
- `{"kind": "power", "method", "exponent"}`: the transformation of Yeo and Johnson or of Box and Cox (NaN where it has
  no value), held within 1e100 either way.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from selfheal.models.native import checks
from selfheal.models.shares import held_off, log_odds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What a column of a linear estimator may hold without its score becoming infinite.
LARGEST_POWER = 1e100
# How near to 0 and 1 scikit-learn lets shares come before it asks for their normal quantiles.
NEAREST_SHARE = 1e-7 - 2.0**-52


def expit(score: float) -> float:
    """1 / (1 + exp(-score)), the bits of scipy.special.expit; 0 where exp overflows."""
    try:
        return 1.0 / (1.0 + math.exp(-score))
    except OverflowError:
        return 0.0


def softmax(scores: Sequence[float]) -> list[float]:
    """exp(score) of each over their sum."""
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = math.fsum(powers)
    return [power / total for power in powers]


def proportions(shares: Sequence[float]) -> list[float]:
    """What each is of their sum; equal ones where that is 0."""
    total = math.fsum(shares)
    return [share / total for share in shares] if total else [1.0 / len(shares)] * len(shares)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of one number."""

    one: Callable[[float], float]

    def many(self, x: "NDArray[Any]") -> "NDArray[Any]":
        """See Step."""
        import numpy as np

        return np.array([self.one(value) for value in x.tolist()], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Power(Function):
    """See `power`."""

    @classmethod
    def parse(cls, raw: Any, path: str) -> Self:
        """Raises ArtefactRefused."""
        found = checks.table(raw, path, {"kind", "method", "exponent"})
        exponent = checks.number(found["exponent"], f"{path}.exponent")
        if found["method"] not in ("yeo-johnson", "box-cox"):
            raise checks.refuse(f"{path}.method", "not yeo-johnson or box-cox")
        return cls(_yeo_johnson(exponent) if found["method"] == "yeo-johnson" else _box_cox(exponent))


def _yeo_johnson(exponent: float) -> Callable[[float], float]:
    def transformed(x: float) -> float:
        if x >= 0:
            return _power(math.log1p(x), exponent)
        return -_power(math.log1p(-x), 2.0 - exponent) if x < 0 else x

    return transformed


def _box_cox(exponent: float) -> Callable[[float], float]:
    return lambda x: _power(math.log(x), exponent) if x > 0 else math.nan


def _power(logarithm: float, exponent: float) -> float:
    """(exp(logarithm)^exponent - 1) / exponent."""
    if abs(exponent) < 2.0**-52:
        return logarithm
    try:
        found = math.expm1(exponent * logarithm) / exponent
    except OverflowError:
        return LARGEST_POWER
    return max(-LARGEST_POWER, min(found, LARGEST_POWER))


def _log1p(x: float) -> float:
    return math.log1p(x) if x > -1 else math.nan


def _log(share: float) -> float:
    return math.log(held_off(share))


def _normal() -> Callable[[float], float]:
    # It takes long to import, and hardly a model needs it.
    from statistics import NormalDist

    quantile = NormalDist().inv_cdf
    return lambda x: x if math.isnan(x) else quantile(min(max(x, NEAREST_SHARE), 1.0 - NEAREST_SHARE))


PLAIN: dict[str, Callable[[], Callable[[float], float]]] = {
    "expit": lambda: expit,
    "log_odds": lambda: log_odds_of,
    "log": lambda: _log,
    "log1p": lambda: _log1p,
    "normal": _normal,
}


def parse_function(raw: Any, path: str) -> Function:
    """One that has no parameters. Raises ArtefactRefused."""
    return Function(PLAIN[checks.table(raw, path, {"kind"})["kind"]]())
