"""Whether the rows of a file without times look as if they were in order of time.

A replay of shuffled rows finds nothing to heal, whatever the world did; a replay of rows sorted by something else finds
drift that never was.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import f_oneway

from selfheal.tables.dataset import Dataset
from selfheal_tools.backtest.moments import has_times

STRETCHES = 20
# Of all columns together: rows in order of time that pass for shuffled ones have nothing to be healed of either.
SIGNIFICANCE = 0.01
# A column with fewer values says little by being sorted.
LEAST_VALUES = 10

type Floats = NDArray[np.float64]


def hints_of(rows: Dataset) -> tuple[str, ...]:
    """What to know of the order of rows that have no times; nothing where they have."""
    return () if has_times(rows.timestamps) else tuple(_hints(rows))


def _hints(rows: Dataset) -> Iterator[str]:
    columns: dict[str, Floats] = {
        **{str(name): _codes(rows.features[name]) for name in rows.features},
        "the label": rows.labels.astype(np.float64),
    }
    taken = "The file has no times, so that its rows count as in order of time"
    if sorted_by := [name for name, values in columns.items() if _is_sorted(values)]:
        yield f"{taken}. They are sorted by {sorted_by[0]}: if that isn't time, the drift is made by the sorting."
    elif not any(_p_value(values) <= SIGNIFICANCE / len(columns) for values in columns.values()):
        yield f"{taken}. They look shuffled: no column changes from one part of the file to another. Sort them by time."


def _codes(column: pd.Series) -> Floats:
    """Numbers as ranks, categories as how frequent they are; missing values are like any other."""
    if column.dtype == np.float64:
        return np.asarray(column.rank(na_option="top"), dtype=np.float64)
    texts = column.fillna("")
    return np.asarray(texts.map(texts.value_counts()), dtype=np.float64)


def _is_sorted(values: Floats) -> bool:
    steps = np.diff(values)
    return len(np.unique(values)) >= LEAST_VALUES and bool((steps >= 0).all() or (steps <= 0).all())


def _p_value(values: Floats) -> float:
    """Of 'all stretches of the file have the same mean'; 1 where the column is constant."""
    if np.ptp(values) == 0:
        return 1.0
    return float(f_oneway(*np.array_split(values, STRETCHES)).pvalue)
