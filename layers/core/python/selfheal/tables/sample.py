"""Some of any number of predictions: always the same ones, however the whole is divided and in whatever order read."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.table import Table

# As many rows as a sample holds at the most: enough for quantiles, intervals and small models.
KEPT = 10_000

type Hashes = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Sample(Table):
    """Those k predictions whose ids have the smallest hashes, oldest first; all of them where they are fewer.

    hashes: shape (k,), of the ids.
    """

    rows: PredictionWindow
    hashes: Hashes

    @classmethod
    def of(cls, rows: PredictionWindow, hashes: Hashes) -> Self:
        """Of some predictions, oldest first, and the hashes of their ids."""
        whole = cls(rows, hashes)
        return whole.take(smallest(hashes)) if len(rows) > KEPT else whole

    def __add__(self, other: Self) -> Self:
        """Of the predictions of both."""
        both = type(self).concatenate([self, other])
        thinned = both.take(smallest(both.hashes))
        return thinned.take(thinned.rows.order_in_time)


def id_hashes(prediction_ids: NDArray[np.object_]) -> Hashes:
    """A hash of each id, evenly spread over 64 bits, shape (n,)."""
    return np.asarray(pd.util.hash_array(prediction_ids, categorize=False))


def smallest(hashes: Hashes, most: int = KEPT) -> NDArray[np.intp]:
    """The positions of so many smallest hashes, or of all where they are fewer, in ascending order."""
    return np.sort(np.argpartition(hashes, most - 1)[:most]) if len(hashes) > most else np.arange(len(hashes))
