"""The two distributions of a feature in a few bars, for the report."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from selfheal.drift.cells import CategoryCells
from selfheal.drift.reference import FeatureReference, FeatureSample
from selfheal.records.drift import Sketch

BARS = 16
CATEGORIES = 8
LONGEST_LABEL = 18


def sketch_of(reference: FeatureReference, window: FeatureSample) -> Sketch:
    """Sixteen bars over the middle 98 % of a numeric reference, tails in the outer ones; or the eight top values."""
    if isinstance(reference.cells, CategoryCells):
        return _categories(reference.cells, reference.sample, window)
    before, after = reference.sample.ordered, window.ordered
    if before is None or after is None or not len(before):
        return Sketch(labels=(), reference=(), window=())
    edges = _edges(before)
    labels = tuple(f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges))
    return Sketch(labels=labels, reference=_shares(before, edges), window=_shares(after, edges))


def _edges(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    distinct = np.unique(ordered)
    if len(distinct) <= BARS:
        # One bar a value.
        middles = (distinct[1:] + distinct[:-1]) / 2
        return np.concatenate([[distinct[0] - 0.5], middles, [distinct[-1] + 0.5]])
    low, high = np.quantile(ordered, [0.01, 0.99])
    if not (distinct % 1).any():
        # Bars of whole numbers hold equally many of them, or the picture shows gaps that aren't there.
        width = max(1, round((high - low) / BARS))
        return np.arange(low - 0.5, high + width, width)
    return np.linspace(low, high if high > low else low + 1.0, BARS + 1)


def _shares(ordered: NDArray[np.float64], edges: NDArray[np.float64]) -> tuple[float, ...]:
    below = np.searchsorted(ordered, edges[1:-1])
    counts = np.diff(np.concatenate([[0], below, [len(ordered)]]))
    return tuple(float(share) for share in np.round(counts / max(len(ordered), 1), 4))


def _categories(cells: CategoryCells, before: FeatureSample, after: FeatureSample) -> Sketch:
    shown = min(CATEGORIES, len(cells.categories))
    labels = tuple(str(value)[:LONGEST_LABEL] for value in cells.categories[:shown])
    bars = [
        tuple(float(share) for share in np.round([*shares[:shown], shares[shown:].sum()], 4))
        for shares in (before.shares, after.shares)
    ]
    return Sketch(labels=(*labels, "all others"), reference=bars[0], window=bars[1])
