"""Which features of some rows can be learnt from, and which of their categories are frequent enough to."""

from dataclasses import dataclass
from typing import Self

import pandas as pd

from selfheal.contract import Contract
from selfheal.errors import TrainingImpossible

# HistGradientBoosting takes at most 255 categories a feature; rarer ones beyond count as missing.
MOST_CODES = 254
# A column of its own for a category costs the linear model a coefficient, which takes some rows to learn.
MOST_COLUMNS, ROWS_FOR_A_COLUMN = 50, 20


@dataclass(frozen=True, slots=True)
class Inputs:
    """The features that a pipeline reads from so many rows, by kind; the categorical ones with their values' counts.

    The encoders are told which values to know: counted here it is a tenth of the work that it is for scikit-learn.
    """

    rows: int
    numbers: list[str]
    categories: dict[str, dict[str | None, int]]

    @classmethod
    def of(cls, contract: Contract, features: pd.DataFrame) -> Self:
        """Those that have a value in at least one row: nothing can be learnt from the others.

        Raises TrainingImpossible where there are none.
        """
        has_value = features.notna().any()
        numbers = [name for name in contract.numeric_features if has_value[name]]
        categories = [name for name in contract.category_features if has_value[name]]
        if not numbers and not categories:
            raise TrainingImpossible("every feature is missing in every row: check where the data come from")
        return cls(len(features), numbers, {name: _counts(features[name]) for name in categories})

    def coded(self) -> list[list[str]]:
        """For each categorical feature the values that get a code, sorted."""
        values = ([value for value in counts if value is not None] for counts in self.categories.values())
        return [sorted(known[:MOST_CODES]) for known in values]

    def expanded(self) -> list[list[str | None]]:
        """For each categorical feature the values that get a column: the most frequent one at least."""
        return [
            [value for place, value in enumerate(counts) if not place or counts[value] >= ROWS_FOR_A_COLUMN][
                :MOST_COLUMNS
            ]
            for counts in self.categories.values()
        ]


def _counts(column: "pd.Series[str]") -> dict[str | None, int]:
    """Each value's number of rows, the most frequent first; None is a missing one."""
    counts: dict[str | None, int] = {str(value): int(count) for value, count in column.value_counts().items()}
    if column.isna().any():
        counts[None] = int(column.isna().sum())
    return dict(sorted(counts.items(), key=lambda counted: (-counted[1], counted[0] or "")))
