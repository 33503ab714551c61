"""What each column does to a small model of all columns: a target that is nearly solved by a few of them is odd."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from selfheal.drafting.columns import Column

# From this share of the target's entropy on, a model knows more than models of the future usually do.
SOLVED = 0.7
# What a column, or a few together, must have explained of it.
EXPLAINED = 0.15
MOST_COLUMNS = 4
LEAST_OF_A_CLASS = 20
MOST_ROWS = 8_000
HELD_OUT = 1 / 3
# Of a category so many values are told apart.
MOST_VALUES = 200
# Trees hold 32 bits and add values up: larger ones are all as large to them.
LARGEST = 1e30

type Floats = NDArray[np.float64]
type Labels = NDArray[np.int8]


def explaining(columns: Sequence[Column], labels: Labels) -> dict[str, str]:
    """By name a sentence about the columns without which a model that had all but solved the target knows far less.

    The one that the model leans on most is taken away until it is as ignorant as models usually are. Where it never is,
    the target is an easy one and no column stands out.
    """
    if not columns:
        return {}
    step = max(1, len(labels) // MOST_ROWS)
    table = pd.DataFrame({column.name: _encoded(column)[::step] for column in columns})
    some = labels[::step]
    if min(some.sum(), len(some) - some.sum()) < LEAST_OF_A_CLASS:
        return {}
    with threadpool_limits(1):
        taken, first, known = _taken(table, some)
    if known >= SOLVED or first - known < EXPLAINED:
        return {}
    return {name: _sentence(name, taken, first, known) for name in taken}


def _taken(table: pd.DataFrame, labels: Labels) -> tuple[list[str], float, float]:
    """Columns whose absence makes the model ignorant, the most telling first; what it explains with and without."""
    fit = _Fit(table, labels)
    first = fit.explained
    taken: list[str] = []
    while fit.explained >= SOLVED and len(taken) < min(MOST_COLUMNS, len(table.columns) - 1):
        taken.append(fit.leaned_on())
        fit = _Fit(table.drop(columns=taken), labels)
    return taken, first, fit.explained


def _sentence(name: str, taken: Sequence[str], before: float, after: float) -> str:
    others = "".join(f" and {other!r}" for other in taken if other != name)
    return f"with it{others} a small model explains {before:.0%} of the target, without {max(after, 0):.0%}"


class _Fit:
    """A small model, and what it explains of rows that it hasn't seen."""

    def __init__(self, table: pd.DataFrame, labels: Labels) -> None:
        learnt, self._told, known, self._labels = train_test_split(
            table, labels, test_size=HELD_OUT, stratify=labels, random_state=0
        )
        self._model = HistGradientBoostingClassifier(
            max_iter=40, learning_rate=0.2, max_leaf_nodes=15, min_samples_leaf=10, early_stopping=False, random_state=0
        ).fit(learnt, known)
        self.explained = self._explained(self._told)

    def leaned_on(self) -> str:
        """The column whose values matter most: in another order of them the least is explained."""
        order = np.random.default_rng(0).permutation(len(self._told))
        return min(map(str, self._told), key=lambda name: self._explained(self._shuffled(name, order)))

    def _shuffled(self, name: str, order: NDArray[np.intp]) -> pd.DataFrame:
        rows: pd.DataFrame = self._told.copy()
        rows[name] = rows[name].to_numpy()[order]
        return rows

    def _explained(self, rows: pd.DataFrame) -> float:
        """The share of the held-out labels' entropy that is gone once the model has spoken."""
        share = float(np.clip(self._labels.mean(), 1e-9, 1 - 1e-9))
        entropy = -(share * np.log(share) + (1 - share) * np.log(1 - share))
        said = self._model.predict_proba(rows)[:, 1]
        left = float(log_loss(self._labels, said, labels=[0, 1]))
        return float(1.0 - left / entropy)


def _encoded(column: Column) -> Floats:
    """Numbers as they are, other values by how frequent they are; missing is NaN."""
    if column.type != "category":
        return np.clip(column.numbers, -LARGEST, LARGEST)
    codes = {value: float(min(rank, MOST_VALUES)) for rank, value in enumerate(column.counts.index)}
    return np.asarray(pd.Series(column.values).map(codes), dtype=np.float64)
