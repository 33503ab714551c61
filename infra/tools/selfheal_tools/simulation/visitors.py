"""Another population visits: a kind of customer that is rare otherwise comes all at once, and is gone again.

Whoever learns from the visitors' rows alone, or is judged by these alone, meets the usual traffic as a stranger.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from selfheal.tables.dataset import Dataset

# Share of the usual traffic that is of their kind.
USUALLY = 1 / 50
# A kind is so much of all rows: enough to fill a few weeks by itself, few enough to be another world.
SHARES = (0.06, 0.25)
QUANTILES = 10

type Rows = NDArray[np.bool_]


def with_visitors(rows: Dataset, *, begin: float, kind: Rows | None = None) -> Dataset:
    """The same rows in another order: those of a kind in one stretch from `begin` on, but for one in fifty elsewhere.

    Moments stay where they were, so that traffic is as dense as ever.

    Args:
        rows: in time order.
        begin: share of the time after which they come.
        kind: shape (n,), which rows are the visitors'; by default those of the value or of the tenth of a feature's
            range that is the most unlike the others in how often it is positive.
    """
    is_of_kind = kind_of(rows) if kind is None else kind
    usual = np.flatnonzero(~is_of_kind)
    visitors = np.flatnonzero(is_of_kind)
    stays = np.zeros(len(rows), dtype=bool)
    # Evenly over time, so that they are always rare and never absent.
    stays[visitors[:: max(1, round(len(visitors) / (USUALLY * len(usual))))]] = True
    before = np.flatnonzero(~is_of_kind | stays)
    flood = np.flatnonzero(is_of_kind & ~stays)
    cut = round(begin * len(rows))
    order = np.concatenate([before[:cut], flood, before[cut:]])
    moved = rows.take(order)
    return Dataset(rows.row_ids, rows.timestamps, moved.features, moved.labels)


def kind_of(rows: Dataset) -> Rows:
    """The rows of the kind that is the most unlike all others, shape (n,)."""
    kinds = [kind for name in rows.features for kind in _kinds(rows, str(name))]
    fitting = [kind for kind in kinds if SHARES[0] <= kind.mean() <= SHARES[1]]
    return max(fitting, key=lambda kind: abs(rows.labels[kind].mean() - rows.labels[~kind].mean()))


def _kinds(rows: Dataset, name: str) -> Iterator[Rows]:
    """The rows of each value of a category, of the lowest and the highest numbers."""
    column = rows.features[name]
    values = column.to_numpy()
    if column.dtype != np.float64:
        yield from (np.asarray(values == value) for value in column.value_counts().index)
        return
    low, high = np.nanquantile(values, [1 / QUANTILES, 1 - 1 / QUANTILES])
    # Where many rows share the lowest or the highest value, the others may be the rare ones.
    yield from (values <= low, values >= high, values < low, values > high)
