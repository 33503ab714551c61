"""When rows happened: the times of a file, made distinct, or a pace where a file has none."""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from selfheal.data.files import ROW_INTERVAL

# What a period lasts where the file has no times.
PERIOD_WITHOUT_TIMES = timedelta(days=7)

# Room for what looks back from the first row.
EARLIEST = np.datetime64("1972-01-01", "us")
CYCLE_YEARS = 28
CYCLE = np.timedelta64(28 * 365 + 7, "D")

type Moments = NDArray[np.datetime64]


def spread(moments: Moments) -> Moments:
    """Rows of one moment, evenly over the time up to the next one, in their order; shape (n,), ascending.

    A date without a time of day stands for its whole day, a month for the whole month. The rows of the last moment are
    spread over what moments usually last.
    """
    ticks = moments.astype("datetime64[us]").astype(np.int64)
    starts = np.flatnonzero(np.concatenate([[True], ticks[1:] != ticks[:-1]]))
    counts = np.diff(np.append(starts, len(ticks)))
    lengths = np.diff(ticks[starts])
    lengths = np.append(lengths, round(float(np.median(lengths))))
    group = np.repeat(np.arange(len(starts)), counts)
    place = np.arange(len(ticks)) - starts[group]
    return _whole((ticks + place * lengths[group] // counts[group]).astype("datetime64[us]"))


def paced(moments: Moments, rows_a_period: float) -> Moments:
    """The last of the moments kept, the others evenly before it at so many rows a week."""
    step = np.timedelta64(PERIOD_WITHOUT_TIMES).astype("timedelta64[us]").astype(np.int64) / rows_a_period
    back = (np.arange(len(moments))[::-1] * step).astype(np.int64)
    return _whole(moments[-1].astype("datetime64[us]") - back.astype("timedelta64[us]"))


def since_1970(moments: Moments) -> tuple[Moments, int]:
    """The same moments so many years later that all are after 1970, where predictions' ids begin; and how many years.

    28 years hold as many days of each day of the week.
    """
    missing = EARLIEST - moments.min() if len(moments) else np.timedelta64(0, "us")
    cycles = max(0, -int(-missing // CYCLE))
    return moments + cycles * CYCLE, cycles * CYCLE_YEARS


def has_times(moments: Moments) -> bool:
    """Whether times came from the file: without them, loading puts rows one interval apart."""
    return bool(np.any(np.diff(moments) != np.timedelta64(ROW_INTERVAL)))


def _whole(moments: Moments) -> Moments:
    # Ids of predictions say when they were made to the millisecond.
    return np.asarray(moments.astype("datetime64[ms]").astype("datetime64[us]"))
