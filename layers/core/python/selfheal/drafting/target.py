"""The column to predict: what kind of target it is, and of two values which one counts as positive."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract.model import MOST_CLASSES, TaskName
from selfheal.data.labels import label_texts
from selfheal.drafting.names import UNNAMABLE, is_name, is_text
from selfheal.drafting.table import Table
from selfheal.errors import DraftImpossible
from selfheal.labels.text import number_of

MOST_NAMES = 30
LONGEST_SAID = 60
MOST_VALUES = 5
TWO = 2
# Whole numbers of at most so many values may as well be names of classes.
FEW_NUMBERS = 10
# A class of fewer rows on average is hardly one.
ROWS_OF_A_CLASS = 5


@dataclass(frozen=True, eq=False)
class Target:
    """labels: shape (n,), 1 where the row has the positive value, is of the commonest class, or is above the median.

    values: how many there are. are_whole: whether all of them are whole numbers.
    """

    name: str
    positive: str
    negative: str
    labels: NDArray[np.int8]
    task: TaskName = "binary"
    values: int = TWO
    are_whole: bool = False

    @property
    def positives(self) -> int:
        """How many rows are positive."""
        return int(self.labels.sum())

    @property
    def positive_label(self) -> int | str | bool:
        """The positive value as a contract writes it."""
        if self.positive in {"true", "false"}:
            return self.positive == "true"
        return int(self.positive) if _is_whole(self.positive) else self.positive


def read_target(table: Table, name: str) -> Target:
    """The target's values: two, classes or numbers. Of two the rarer one is positive, of two equally rare ones the last
    in order (1, true, yes).

    Raises DraftImpossible: no such column, one value or none, or too many values that aren't numbers.
    """
    check_present(table, name, "target")
    texts = pd.Series(label_texts(table.column(name), table.spec))
    counts = texts.value_counts()
    if len(counts) != TWO:
        return _of_many(name, texts, counts)
    if unsaid := [value for value in counts.index if not is_text(value)]:
        value = str(unsaid[0])[:LONGEST_SAID]
        raise DraftImpossible(
            f"the target {name!r} holds {value!r}, which a contract can't: write the label in fewer signs"
        )
    positive = min(sorted(counts.index, reverse=True), key=lambda value: int(counts[value]))
    (negative,) = set(counts.index) - {positive}
    return Target(name, positive, negative, np.asarray(texts == positive, dtype=np.int8))


def _of_many(name: str, texts: "pd.Series[str]", counts: "pd.Series[int]") -> Target:
    """Numbers where all values are, unless they are few and whole; else classes, where they are few."""
    distinct = np.array([number_of(str(text)) for text in counts.index])
    are_numbers = len(counts) > TWO and bool(np.isfinite(distinct).all())
    are_whole = are_numbers and bool((distinct == np.round(distinct)).all())
    if are_numbers and not (are_whole and len(counts) <= FEW_NUMBERS):
        values = texts.map(lambda text: number_of(str(text))).to_numpy(dtype=np.float64)
        above = np.asarray(values > np.median(values), dtype=np.int8)
        return Target(name, "", "", above, "regression", len(counts), are_whole)
    few = TWO < len(counts) <= min(MOST_CLASSES, len(texts) // ROWS_OF_A_CLASS)
    if not few or not all(is_text(value) for value in counts.index):
        raise DraftImpossible(_other_than_two(name, counts))
    commonest = np.asarray(texts == counts.index[0], dtype=np.int8)
    return Target(name, "", "", commonest, "multiclass", len(counts), are_whole)


def check_present(table: Table, name: str, role: str) -> None:
    """Raises DraftImpossible where the file has no such column; names the nearest ones."""
    if name in table.odd:
        raise DraftImpossible(f"{name!r} can't be the {role}: it holds no single values but {table.odd[name][:60]}")
    if name not in table.names:
        raise DraftImpossible(f"no column is called {name!r}, so it can't be the {role}: {_offered(name, table.names)}")
    if not is_name(name):
        raise DraftImpossible(f"{name[:LONGEST_SAID]!r} can't be the {role}: {UNNAMABLE}; rename it")


def _offered(name: str, names: Sequence[str]) -> str:
    if near := get_close_matches(name, names):
        return "did you mean " + " or ".join(map(repr, near)) + "?"
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return "the file has " + ", ".join(map(repr, names[:MOST_NAMES])) + more


def _other_than_two(name: str, counts: pd.Series) -> str:
    listed = ", ".join(repr(value) for value in counts.index[:MOST_VALUES])
    if not len(counts):
        return f"the target {name!r} is empty in every row"
    if len(counts) == 1:
        return f"the target {name!r} has one value only ({listed}): there is nothing to tell apart"
    more = f" and {len(counts) - MOST_VALUES} more" if len(counts) > MOST_VALUES else ""
    return (
        f"the target {name!r} has {len(counts)} values ({listed}{more}), too many for so few rows to be classes, and "
        f"not all are numbers: name another column, or make at most {MOST_CLASSES} classes of it with "
        f"{ROWS_OF_A_CLASS} rows each on average"
    )


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()
