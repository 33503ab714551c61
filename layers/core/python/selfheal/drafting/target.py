"""The column to predict: its two values, and which of them counts as positive."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.data.labels import label_texts
from selfheal.drafting.names import UNNAMABLE, is_name, is_text
from selfheal.drafting.table import Table
from selfheal.errors import DraftImpossible

MOST_NAMES = 30
LONGEST_SAID = 60
MOST_VALUES = 5
TWO = 2


@dataclass(frozen=True, eq=False)
class Target:
    """labels: shape (n,), 1 where the row has the positive value; positives, negatives: how many have which."""

    name: str
    positive: str
    negative: str
    labels: NDArray[np.int8]

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
    """The target's values; the rarer one is positive, of two equally rare ones the last in order (1, true, yes).

    Raises DraftImpossible: no such column, other than two values.
    """
    check_present(table, name, "target")
    texts = pd.Series(label_texts(table.column(name), table.spec))
    counts = texts.value_counts()
    if len(counts) != TWO:
        raise DraftImpossible(_other_than_two(name, counts))
    if unsaid := [value for value in counts.index if not is_text(value)]:
        value = str(unsaid[0])[:LONGEST_SAID]
        raise DraftImpossible(
            f"the target {name!r} holds {value!r}, which a contract can't: write the label in fewer signs"
        )
    positive = min(sorted(counts.index, reverse=True), key=lambda value: int(counts[value]))
    (negative,) = set(counts.index) - {positive}
    return Target(name, positive, negative, np.asarray(texts == positive, dtype=np.int8))


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
        f"the target {name!r} has {len(counts)} values ({listed}{more}), and a model here tells two apart: "
        "name another column, or make one of two values of it (the value that matters, and all others)"
    )


def _is_whole(text: str) -> bool:
    return text.removeprefix("-").isdecimal() and text.isascii()
