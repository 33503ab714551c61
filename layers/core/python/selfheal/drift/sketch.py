"""The two distributions of a feature in a few bars, for the report."""

from itertools import pairwise

import numpy as np

from selfheal.drift.cells import CategoryCells
from selfheal.drift.feature import FeatureReference, Numbers
from selfheal.drift.summary import FeatureSummary
from selfheal.records.drift import Sketch

CATEGORIES = 8
LONGEST_LABEL = 18


def sketch_of(reference: FeatureReference, window: FeatureSummary) -> Sketch:
    """Sixteen bars over the middle 98 % of a numeric reference, tails in the outer ones; or the eight top values."""
    if isinstance(reference.cells, CategoryCells):
        return _categories(reference.cells, reference.sample, window)
    if reference.numbers is None or not reference.sample.present:
        return Sketch(labels=(), reference=(), window=())
    labels = tuple(f"{low:.4g} to {high:.4g}" for low, high in pairwise(reference.numbers.bars))
    before, after = (_shares(reference.numbers, summary) for summary in (reference.sample, window))
    return Sketch(labels=labels, reference=before, window=after)


def _shares(numbers: Numbers, summary: FeatureSummary) -> tuple[float, ...]:
    below = numbers.below(summary, numbers.bars[1:-1])
    counts = np.diff(np.concatenate([[0], below, [summary.present]]))
    return tuple(float(share) for share in np.round(counts / max(summary.present, 1), 4))


def _categories(cells: CategoryCells, before: FeatureSummary, after: FeatureSummary) -> Sketch:
    shown = min(CATEGORIES, len(cells.categories))
    labels = tuple(str(value)[:LONGEST_LABEL] for value in cells.categories[:shown])
    bars = [
        tuple(float(share) for share in np.round([*shares[:shown], shares[shown:].sum()], 4))
        for shares in (before.shares, after.shares)
    ]
    return Sketch(labels=(*labels, "all others"), reference=bars[0], window=bars[1])
