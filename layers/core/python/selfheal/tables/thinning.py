"""A training set that memory holds: the newest rows whole, older ones thinned by the hashes of their ids.

The same rows give the same sample, in whatever order they come. Whoever thins some of the rows first, and then what is
left together with the others, gets the sample of all: so a log is read a part at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.data.moments import as_datetime64, as_utc
from selfheal.records.manifest import Sampling
from selfheal.tables.dataset import Dataset
from selfheal.tables.sample import id_hashes

# About 3 GB at the peak: a copy for each step of preprocessing; half of it leaves room for two fits at a time.
MOST_VALUES = 40_000_000
WHOLE_SHARE = 0.5
ALL_HASHES = 2.0**64


@dataclass(frozen=True, slots=True, eq=False)
class Thinned:
    """The rows of a training set in their order, and how they were sampled; None where all are taken."""

    rows: Dataset
    sampling: Sampling | None = None


def most_rows(contract: Contract) -> int:
    """How many rows a training set has at the most: what the policy says, and no more than there is memory for."""
    fitting, wanted = MOST_VALUES // len(contract.features), contract.policy.retraining.maximum_rows
    return fitting if wanted == "auto" else min(wanted, fitting)


def thinned(rows: Dataset, contract: Contract, reading: "Reading | None" = None) -> Thinned:
    """The rows that train: all, or as many as `most_rows` says; `reading` is what has left out others before."""
    sample = reading or Reading(contract)
    held = len(rows) + sample.left_out
    taken = rows.take(sample.kept(rows))
    if sample.whole_from is None:
        return Thinned(taken)
    return Thinned(taken, Sampling(held=held, whole_from=sample.whole_from, older_share=sample.older_share))


@dataclass(slots=True, eq=False)
class Reading:
    """Thins rows as they are read, part by part, and remembers the limits, and that it left out `left_out` new rows.

    is_new: which row ids no other table holds that will be joined with these, shape (n,).
    """

    contract: Contract
    is_new: Callable[[NDArray[np.object_]], NDArray[np.bool_]] = lambda ids: np.ones(len(ids), dtype=bool)
    left_out: int = 0
    whole_from: datetime | None = None
    older_share: float = 1.0

    def kept(self, rows: Dataset) -> NDArray[np.bool_]:
        """Which of some rows the sample of them and any others can have, shape (n,)."""
        most, mask = most_rows(self.contract), np.ones(len(rows), dtype=bool)
        if len(rows) <= most:
            return mask
        whole, older = _parts(rows, self.contract, most)
        dropped = older[most - len(whole) :]
        mask[dropped] = False
        self.left_out += int(self.is_new(rows.row_ids[dropped]).sum())
        self.whole_from = as_utc(rows.timestamps[whole].min())
        # Of all that any look has dropped: a later one may drop but larger hashes.
        first = float(id_hashes(rows.row_ids[dropped[:1]])[0]) / ALL_HASHES
        self.older_share = min(self.older_share, first)
        return mask


def was_left_out(rows: Dataset, sampling: Sampling | None) -> NDArray[np.bool_]:
    """Which rows an earlier sample may have seen and not taken, shape (n,)."""
    if sampling is None:
        return np.zeros(len(rows), dtype=bool)
    is_older = rows.timestamps < as_datetime64(sampling.whole_from)
    return np.asarray(is_older & (id_hashes(rows.row_ids) >= sampling.older_share * ALL_HASHES))


def _parts(rows: Dataset, contract: Contract, most: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of the newest rows, which are all taken, and of the others, those that are taken first."""
    hashes, ages = id_hashes(rows.row_ids), rows.timestamps.max() - rows.timestamps
    newest_first = np.lexsort((hashes, ages))
    whole = round(WHOLE_SHARE * most)
    days = contract.policy.retraining.window
    if isinstance(days, int):
        # No older ones would be fitted: they don't take the place of any that are.
        whole = max(whole, min(most, int((ages <= np.timedelta64(days, "D")).sum())))
    older = newest_first[whole:]
    return newest_first[:whole], older[np.argsort(hashes[older], kind="stable")]
