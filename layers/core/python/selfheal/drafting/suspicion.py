"""Why a column should not be a feature: it names the row, tells the time, says nothing, or gives the answer away."""

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from selfheal.drafting.columns import PLAIN_NUMBERS, Column

# A column that ranks the target this well by itself is taken to know it.
LEAK_AUC = 0.99
STRONG_AUC = 0.95
# With fewer of a class than this, a column may separate the two by chance.
LEAST_OF_A_CLASS = 20
FOLDS = 5
MOST_ROWS = 20_000
# A number with more values than this is ranked by a tree, else each value has its own rate.
MOST_RATES = 50
# Below this many rows values may all differ by chance.
LEAST_ROWS_OF_AN_ID = 20
# Whole numbers that all differ and fill their range this densely were given out one by one.
DENSE = 3
MOST_TEXTS_PER_ROW = 0.5
DATE_SHARE = 0.95
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2}([ T]\d{1,2}:\d{2}.*)?)?"
    r"|\d{1,2}[-/]\d{1,2}[-/]\d{2,4}( \d{1,2}:\d{2}.*)?|\d{1,2}\.\d{1,2}\.\d{4}( \d{1,2}:\d{2}.*)?"
    rf"|(\d{{1,2}}[- ])?({MONTHS})[a-z]*[-/ .,]+(\d{{1,2}}, ?)?\d{{2,4}}",
    re.IGNORECASE,
)

type Labels = NDArray[np.int8]


def reason_against(column: Column, labels: Labels) -> str | None:
    """Why the column is better left out, as a sentence for its reader; None where nothing speaks against it."""
    if len(column.counts) == 1 and not column.missing:
        only = column.counts.index[0]
        return f"it has the same value in every row ({only!r})" if isinstance(only, str) else _same_number(only)
    if is_date(column):
        return "dates: a model learns from an age or a duration, not from a moment; put that in its place"
    if reason := _names_the_row(column):
        return reason
    auc = lone_auc(column, labels)
    if auc is not None and auc >= LEAK_AUC:
        return (
            f"it tells the target almost perfectly by itself (ROC AUC {auc:.3f}): "
            "it was probably written down when the answer was known"
        )
    return None


def _same_number(value: float) -> str:
    return f"it has the same value in every row ({value:.12g})"


def is_date(column: Column) -> bool:
    """Whether (nearly) all values are dates: text in a usual form, or whole numbers that read as YYYYMMDD."""
    if column.type == "integer":
        return _is_compact_date(column.counts.index.to_numpy(dtype=np.float64))
    if column.type != "category":
        return False
    texts = column.counts.index[:1000]
    return sum(bool(DATE.fullmatch(text.strip())) for text in texts) >= DATE_SHARE * len(texts)


def lone_auc(column: Column, labels: Labels) -> float | None:
    """How well the column alone ranks the target, 0.5 to 1, whatever its shape: ROC AUC on rows that were held out.

    None with too few rows of a class to tell. Beyond 20,000 rows every so many are enough.
    """
    step = max(1, len(column) // MOST_ROWS)
    values, labels = column.values[::step], labels[::step]  # noqa: PD011 - an array already
    if min(labels.sum(), len(labels) - labels.sum()) < LEAST_OF_A_CLASS:
        return None
    is_ranked = column.is_numeric and len(column.counts) > MOST_RATES
    rates = _rates_by_tree(values, labels) if is_ranked else _rates_by_value(values, labels)
    return float(roc_auc_score(labels, rates))


def _rates_by_tree(values: NDArray[np.float64] | NDArray[np.object_], labels: Labels) -> NDArray[np.float64]:
    """The share of positives that a small tree on the other rows expects of each row."""
    numbers = values.astype(np.float64)
    # Trees hold 32 bits: ranks are exact in them where values aren't.
    ranks = np.where(np.isnan(numbers), np.nan, np.unique(numbers, return_inverse=True)[1])
    tree = DecisionTreeClassifier(max_leaf_nodes=32, min_samples_leaf=5, random_state=0)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    return np.asarray(cross_val_predict(tree, ranks.reshape(-1, 1), labels, cv=folds, method="predict_proba")[:, 1])


def _rates_by_value(values: NDArray[np.float64] | NDArray[np.object_], labels: Labels) -> NDArray[np.float64]:
    """The share of positives among the other folds' rows of each row's value; missing is a value, all rows are one."""
    codes, _ = pd.factorize(pd.Series(values), use_na_sentinel=False)
    folds = np.arange(len(labels)) % FOLDS
    size, cells = codes.max() + 1, folds * (codes.max() + 1) + codes
    counts = np.bincount(cells, minlength=FOLDS * size).reshape(FOLDS, size)
    positives = np.bincount(cells, weights=labels, minlength=FOLDS * size).reshape(FOLDS, size)
    rates = (positives.sum(axis=0) - positives + labels.mean()) / (counts.sum(axis=0) - counts + 1)
    return np.asarray(rates[folds, codes])


def _names_the_row(column: Column) -> str | None:
    if len(column.present) < LEAST_ROWS_OF_AN_ID or column.type in {"boolean", "number"}:
        return _is_clock(column)
    is_unique = len(column.counts) == len(column.present)
    if column.type == "category":
        return _too_many_texts(column, is_unique=is_unique)
    if is_unique and np.ptp(column.present) < DENSE * len(column.present):
        return "whole numbers of which none occurs twice: they number the rows"
    return _is_clock(column)


def _too_many_texts(column: Column, *, is_unique: bool) -> str | None:
    if len(column.counts) <= MOST_TEXTS_PER_ROW * len(column.present):
        return None
    told = f"{len(column.counts)} different texts in {len(column.present)} rows"
    if column.is_written_numbers:
        return f"{told}; {PLAIN_NUMBERS}"
    return "no value occurs twice: it names the row" if is_unique else f"{told}: too few rows to learn from each"


def _is_clock(column: Column) -> str | None:
    """Numbers that rise from each row to the next tell only where the row stands."""
    if len(column) >= LEAST_ROWS_OF_AN_ID and column.is_numeric and bool(np.all(np.diff(column.present) > 0)):
        return "it rises with every row, as a clock or a counter does"
    return None


def _is_compact_date(values: NDArray[np.float64]) -> bool:
    year, month, day = values // 10_000, values // 100 % 100, values % 100
    return bool(np.all((year >= 1900) & (year <= 2100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)))  # noqa: PLR2004
