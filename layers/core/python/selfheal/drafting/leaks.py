"""Columns that may have been written down when the answer was known: what they say of rows that were held out."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from selfheal.drafting.columns import Column
from selfheal.drafting.small_model import LARGEST, explaining
from selfheal.tasks.intervals import proportion

# A column that by itself is wrong about fewer rows than this share of the rarer value's knows the target.
EXACT_SHARE = 0.01
STRONG_AUC = 0.95
# With fewer of a class than this, a column may separate the two by chance.
LEAST_OF_A_CLASS = 20
FOLDS = 5
MOST_ROWS = 20_000
# A number with more values than this is ranked by a tree, else each value has its own rate.
MOST_RATES = 50
# A rule: rows of one kind that (nearly) all have one label, and are no small part of those who have it.
# More rows would hardly show otherwise: as much of the doubt is gone at the lower end of a 95 % interval.
PURE, PURE_SHARE, SURE = 0.98, 0.05, 0.7
LARGEST_BASE = 0.9
MOST_KINDS = 12
MOST_RANGES, LEAST_OF_A_RANGE = 8, 0.005

KNOWN = "is it known when a prediction is asked for?"

type Labels = NDArray[np.int8]


def knows_the_target(column: Column, labels: Labels) -> bool:
    """Whether the column by itself tells the target (nearly) without exception.

    A strong feature ranks the rows well, and yet is wrong about some between the two kinds: that is no leak.
    """
    rows, labels = _some(column, labels)
    if _rarer(labels) < LEAST_OF_A_CLASS:
        return False
    wrong = int(((_rates(rows, labels) >= 0.5) != (labels == 1)).sum())  # noqa: PLR2004 - the likelier one
    return wrong <= EXACT_SHARE * _rarer(labels)


def questions(columns: Sequence[Column], labels: Labels) -> dict[str, str]:
    """What to ask about columns that may be leaks, by name.

    Asked about are those that alone rank the target very well, those of which some values mean one label by rule, and
    those without which a small model of all columns knows far less.
    """
    asked: dict[str, str] = {}
    for column in columns:
        rows, some = _some(column, labels)
        if _rarer(some) < LEAST_OF_A_CLASS:
            continue
        auc = float(roc_auc_score(some, _rates(rows, some)))
        if auc >= STRONG_AUC:
            asked[column.name] = f"ranks the target well by itself (ROC AUC {auc:.3f}); {KNOWN}"
        elif rule := next(rules(column, labels), None):
            asked[column.name] = f"{rule}; {KNOWN}"
    others = [column for column in columns if column.name not in asked]
    return asked | {name: f"{said}; {KNOWN}" for name, said in explaining(others, labels).items()}


def rules(column: Column, labels: Labels) -> Iterator[str]:
    """Values, ranges and gaps whose rows nearly all have one label that far from all rows have, as sentences."""
    found = pd.DataFrame({"kind": _kinds(column), "label": labels}).groupby("kind", observed=True)["label"]
    tables = [found.agg(["size", "mean"])]
    if column.is_numeric and len(column.counts) > MOST_KINDS:
        tables.append(_ranges(column, labels))
    kinds = [(str(kind), int(size), float(mean)) for table in tables for kind, size, mean in table.itertuples()]
    for label, name in ((1, "positive"), (0, "negative")):
        base = float((labels == label).mean())
        of_label = [(size, kind, mean if label else 1 - mean) for kind, size, mean in kinds]
        pure = [kind for kind in of_label if _is_rule(kind[2], kind[0], base, len(labels))]
        if base <= LARGEST_BASE and pure:
            size, kind, share = max(pure)
            yield f"{share:.1%} of the {size} rows with {kind} are {name}, of all rows {base:.1%}"


def _is_rule(share: float, size: int, base: float, rows: int) -> bool:
    lowest = proportion(share * size, size).low or 0.0
    return share >= PURE and size >= PURE_SHARE * base * rows and lowest >= base + SURE * (1 - base)


def _some(column: Column, labels: Labels) -> tuple[Column, Labels]:
    """Every so many rows: beyond 20,000 more say nothing more."""
    step = max(1, len(column) // MOST_ROWS)
    if step == 1:
        return column, labels
    return Column(column.name, column.type, column.values[::step]), labels[::step]  # noqa: PD011 - an array already


def _rarer(labels: Labels) -> int:
    return int(min(labels.sum(), len(labels) - labels.sum()))


def _rates(column: Column, labels: Labels) -> NDArray[np.float64]:
    """The share of positives that the other rows let expect of each row's value, whatever the shape."""
    is_ranked = column.is_numeric and len(column.counts) > MOST_RATES
    return _rates_by_tree(column, labels) if is_ranked else _rates_by_value(column, labels)


def _rates_by_tree(column: Column, labels: Labels) -> NDArray[np.float64]:
    tree = DecisionTreeClassifier(max_leaf_nodes=32, min_samples_leaf=5, random_state=0)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    found = cross_val_predict(tree, _for_a_tree(column).reshape(-1, 1), labels, cv=folds, method="predict_proba")
    return np.asarray(found[:, 1])


def _rates_by_value(column: Column, labels: Labels) -> NDArray[np.float64]:
    """By the other folds' rows of the value; missing is a value, all rows are one."""
    codes, _ = pd.factorize(pd.Series(column.values), use_na_sentinel=False)
    folds = np.arange(len(labels)) % FOLDS
    size, cells = codes.max() + 1, folds * (codes.max() + 1) + codes
    counts = np.bincount(cells, minlength=FOLDS * size).reshape(FOLDS, size)
    positives = np.bincount(cells, weights=labels, minlength=FOLDS * size).reshape(FOLDS, size)
    rates = (positives.sum(axis=0) - positives + labels.mean()) / (counts.sum(axis=0) - counts + 1)
    return np.asarray(rates[folds, codes])


def _for_a_tree(column: Column) -> NDArray[np.float64]:
    """Trees hold 32 bits: where those can't tell values apart, their ranks can."""
    different = column.counts.index.to_numpy(dtype=np.float64)
    if np.abs(different).max() < LARGEST and len(np.unique(different.astype(np.float32))) == len(different):
        return column.numbers
    return np.where(np.isnan(column.numbers), np.nan, np.unique(column.numbers, return_inverse=True)[1])


def _kinds(column: Column) -> pd.Series:
    values = pd.Series(column.values)
    if column.is_numeric and len(column.counts) > MOST_KINDS:
        return values.notna().map({True: "a value", False: "no value"})
    named = values.map(lambda value: f"{value:g}" if isinstance(value, float) else repr(value), na_action="ignore")
    return named.fillna("no value")


def _ranges(column: Column, labels: Labels) -> pd.DataFrame:
    """Size and share of positives of ranges that a tree found on every other row, on the rows between.

    Only those remain that begin at once: a feature that rises with the chance has ranges between the sure ones.
    """
    numbers = np.clip(column.numbers, -LARGEST, LARGEST)
    there = np.flatnonzero(~np.isnan(numbers))
    learnt, told = there[::2], there[1::2]
    tree = DecisionTreeClassifier(
        max_leaf_nodes=MOST_RANGES, min_samples_leaf=max(5, int(LEAST_OF_A_RANGE * len(learnt))), random_state=0
    ).fit(numbers[learnt, None], labels[learnt])
    edges = np.sort(tree.tree_.threshold[tree.tree_.feature >= 0])
    if not len(edges):
        # Nothing in the values divides the labels: the whole column is no range.
        return pd.DataFrame({"size": [], "mean": []})
    cells = pd.Series(np.searchsorted(edges, numbers[told], side="left"))
    found = pd.Series(labels[told]).groupby(cells).agg(["size", "mean"])
    return _sudden(found, float(labels.mean())).rename(index=lambda cell: _said(int(cell), edges))


def _sudden(found: pd.DataFrame, base: float) -> pd.DataFrame:
    """The ranges beside which no other one leans the same way, neighbours that are equally sure taken for one."""
    lean = np.sign(found["mean"].to_numpy() - base)
    is_sure = (found["mean"].to_numpy() >= PURE) | (found["mean"].to_numpy() <= 1 - PURE)
    is_sudden = np.ones(len(found), dtype=bool)
    same = (lean[1:] == lean[:-1]) & ~(is_sure[1:] & is_sure[:-1])
    is_sudden[1:] &= ~same
    is_sudden[:-1] &= ~same
    return found[is_sudden]


def _said(cell: int, edges: NDArray[np.float64]) -> str:
    if cell == 0:
        return f"{edges[0]:.4g} or less"
    if cell == len(edges):
        return f"more than {edges[-1]:.4g}"
    return f"more than {edges[cell - 1]:.4g} and at most {edges[cell]:.4g}"
