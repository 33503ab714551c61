"""Which labelled rows judge, which of them are kept back from training, and the share of predictions they are."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from selfheal.data.moments import as_datetime64, as_utc
from selfheal.tasks import BINARY, Task
from selfheal.tasks.port import Labels

# Support of the labels (rows of the rarer class) below which differences of metrics say little; less is taken where the
# data hold no more.
MINIMUM_SUPPORT = 100
# Where nothing presses: what two hundred rows leave open a thousand often settle; more would cost the shadow model its
# newest rows for little.
UNHURRIED_SHARE, UNHURRIED_ROWS = 0.25, 1000
# So that at least as many new rows teach the shadow model as are kept back from it.
LARGEST_SHARE = 0.5
# Evidence reaches back to so many rows where fewer are new: rows add up over trials.
EVIDENCE_ROWS = 1000
DELAY_QUANTILE = 0.9


def evaluation_start(
    timestamps: NDArray[np.datetime64],
    labels: Labels,
    *,
    after: datetime,
    minimum_samples: int,
    unhurried: bool = False,
    task: Task = BINARY,
) -> datetime | None:
    """The moment from which labelled rows are kept back from the model that is to be judged.

    Of all moments that leave at least half of `minimum_samples` rows and at most half of the rows, the newest that
    leaves 100 of the rarer class; where none does, the oldest: the most that the data allow. None where fewer than
    `minimum_samples` rows are new, or no moment divides the rows.

    Args:
        timestamps: shape (n,), datetime64 in UTC, any order: when the predictions were asked for.
        labels: shape (n,).
        after: every evaluation row is newer than this (the newest row that taught or judged any version).
        minimum_samples: fewest rows newer than `after`; half as many at least are kept back.
        unhurried: nothing has changed of late that the newest rows have to teach, so that a quarter of the rows, 1,000
            at the most, are kept back where the least that is allowed is less.
        task: what kind of labels they are.
    """
    order = np.argsort(timestamps, kind="stable")[::-1]
    newest_first = timestamps[order].astype("datetime64[us]")
    if int((newest_first > as_datetime64(after)).sum()) < minimum_samples:
        return None
    rows = np.arange(1, len(labels) + 1)
    allowed = (
        _is_whole_moment(newest_first)
        & (newest_first > as_datetime64(after))
        & (rows <= LARGEST_SHARE * len(labels))
        & (rows >= minimum_samples / 2)
    )
    wanted = min(UNHURRIED_SHARE * len(labels), UNHURRIED_ROWS) if unhurried else 0
    enough = (task.support(labels[order]) >= MINIMUM_SUPPORT) & (rows >= wanted)
    return _start(newest_first, allowed, enough)


def evidence_start(
    timestamps: NDArray[np.datetime64], *, newest_of_production: datetime, newest_of_members: datetime
) -> datetime:
    """The moment from which labelled rows judge: those that no version in question has seen, and older ones.

    Older rows, which a version trained since has seen, are answered by the versions before it. They count where fewer
    than 1,000 are new, as far back as production hasn't seen them either.

    Args:
        timestamps: shape (n,), datetime64 in UTC, any order; at least one is newer than both of the others.
        newest_of_production: the newest row that fitted, tuned or judged production.
        newest_of_members: the newest row that the newest version has seen.
    """
    newest_first = np.sort(timestamps.astype("datetime64[us]"))[::-1]
    unseen = newest_first[newest_first > as_datetime64(newest_of_production)]
    new = int((unseen > as_datetime64(newest_of_members)).sum())
    return as_utc(unseen[min(max(new, EVIDENCE_ROWS), len(unseen)) - 1])


def settled_coverage(
    timestamps: NDArray[np.datetime64],
    is_labelled: NDArray[np.bool_],
    label_delays: NDArray[np.timedelta64],
    *,
    now: datetime,
) -> float | None:
    """Labelled / all predictions, of those old enough for nine labels in ten to have come; None where none is.

    Args:
        timestamps: shape (n,), datetime64 in UTC: the predictions from the evaluation start on.
        is_labelled: shape (n,).
        label_delays: shape (number of labelled,), timedelta64: from a prediction to the arrival of its label.
        now: the moment of looking.
    """
    if not len(label_delays):
        return None
    delay = np.quantile(label_delays.astype("timedelta64[us]").astype(np.int64), DELAY_QUANTILE)
    until = as_datetime64(now) - np.timedelta64(int(delay), "us")
    settled = timestamps <= until
    return float(is_labelled[settled].mean()) if settled.any() else None


def _is_whole_moment(newest_first: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    # A moment divides the rows only where the next older row isn't of that same moment.
    return np.append(newest_first[1:] != newest_first[:-1], np.ones(min(len(newest_first), 1), dtype=bool))


def _start(
    newest_first: NDArray[np.datetime64], allowed: NDArray[np.bool_], enough: NDArray[np.bool_]
) -> datetime | None:
    if not allowed.any():
        return None
    best = np.flatnonzero(allowed & enough)
    position = best[0] if len(best) else np.flatnonzero(allowed)[-1]
    return as_utc(newest_first[position])
