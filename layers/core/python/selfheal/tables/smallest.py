"""Predictions that judge where there are more than memory holds: those whose ids have the smallest hashes."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.sample import id_hashes, smallest

# A difference of .002 between two Brier scores shows on a tenth of it.
MOST_JUDGED = 500_000


@dataclass(frozen=True, slots=True, eq=False)
class Smallest:
    """At most so many of `held` predictions, oldest first: always the same ones.

    below: the ids of all of them, and of no other one, have hashes below it; None where they are all there are.
    """

    rows: PredictionWindow
    held: int
    below: int | None = None


def smallest_of(parts: Iterable[PredictionWindow], nothing: PredictionWindow, most: int) -> Smallest:
    """The sample of parts in the order of time; twice as many and a part are in memory at once. `nothing`: no rows."""
    so_far: list[PredictionWindow] = []
    held, below = 0, None
    for part in parts:
        so_far.append(part)
        held += len(part)
        if sum(map(len, so_far)) > 2 * most:
            rows, below = _thinned(PredictionWindow.concatenate(so_far), most, below)
            so_far = [rows]
    rows, below = _thinned(PredictionWindow.concatenate(so_far or [nothing]), most, below)
    return Smallest(rows.in_time_order(), held, below)


def _thinned(rows: PredictionWindow, most: int, below: int | None) -> tuple[PredictionWindow, int | None]:
    if len(rows) <= most:
        return rows, below
    hashes = id_hashes(rows.prediction_ids)
    kept = smallest(hashes, most)
    first_dropped = int(np.delete(hashes, kept).min())
    return rows.take(kept), first_dropped if below is None else min(below, first_dropped)
