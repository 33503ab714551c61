"""Per-feature tests as p-values, for one window or for many resampled ones at a time (cells on the last axis)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from selfheal.drift.distances import Shares, kolmogorov_smirnov

# Cochran's rule: a cell that is expected to hold fewer rows joins the others.
MINIMUM_EXPECTED = 5


def ks_p_value(window: Shares, reference: Shares, size: Any) -> NDArray[np.float64]:
    """Two-sample Kolmogorov-Smirnov test over cells; `size` is m n / (m + n) rows.

    The limiting distribution with Stephens' (1970) correction for finite samples; conservative where values tie.
    """
    root = np.sqrt(size)
    return np.asarray(special.kolmogorov((root + 0.12 + 0.11 / root) * kolmogorov_smirnov(window, reference)))


def chi_squared_p_value(window: Shares, reference: Shares, size: Any, weight: float = 0.0) -> NDArray[np.float64]:
    """Pearson's chi-squared test of homogeneity over categories, the most frequent first; `size` is m n / (m + n).

    `weight` is n / (m + n), the window's part of the pooled shares. Categories expected to hold fewer than five rows
    are judged together, so that the limiting distribution holds at every size.
    """
    kept = _frequent(reference, float(np.min(size)))
    observed, expected = _pooled(window, kept), _pooled(reference, kept)
    middle = weight * observed + (1 - weight) * expected
    squares = np.divide((observed - expected) ** 2, middle, out=np.zeros_like(middle * observed), where=middle > 0)
    freedom = observed.shape[-1] - 1
    return np.asarray(special.chdtrc(max(freedom, 1), size * squares.sum(axis=-1)))


def missing_p_value(missing: int, size: int, reference_missing: int, reference_size: int) -> float:
    """Exact two-sided test that two samples have the same share of missing values (hypergeometric, doubled tail)."""
    total = missing + reference_missing
    population = size + reference_size, total, size
    tails = stats.hypergeom.cdf(missing, *population), stats.hypergeom.sf(missing - 1, *population)
    return float(min(1.0, 2 * min(tails)))


def missing_p_values(missing: NDArray[np.int64], size: int, share: float) -> NDArray[np.float64]:
    """The same for windows drawn from a pool with a known share of missing values (binomial, doubled tail)."""
    upper = np.where(missing > 0, special.bdtrc(np.maximum(missing - 1, 0), size, share), 1.0)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(special.bdtr(missing, size, share), upper)))


def benjamini_hochberg(p_values: NDArray[np.float64], rate: float) -> float:
    """The largest p-value allowed at a false discovery rate (Benjamini and Hochberg 1995); 0 where none is found."""
    ordered = np.sort(p_values)
    allowed = rate * np.arange(1, len(ordered) + 1) / len(ordered)
    passing = np.flatnonzero(ordered <= allowed)
    return float(allowed[passing[-1]]) if len(passing) else 0.0


def _frequent(reference: Shares, size: float) -> int:
    """How many leading categories stand alone; the rest together reach five expected rows or join the last of these."""
    kept = int(np.count_nonzero(reference[:-1] * size >= MINIMUM_EXPECTED))
    return kept - 1 if kept and reference[kept:].sum() * size < MINIMUM_EXPECTED else kept


def _pooled(shares: Shares, kept: int) -> Shares:
    return np.concatenate([shares[..., :kept], shares[..., kept:].sum(axis=-1, keepdims=True)], axis=-1)
