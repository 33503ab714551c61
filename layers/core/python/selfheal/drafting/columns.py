"""What a column holds, and the type under which the loader takes every value of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract.model import Feature, FeatureType
from selfheal.data.files import MISSING_NUMBERS, feature_values
from selfheal.drafting.table import Table

CODE = re.compile(r"0\d+")
WHOLE = re.compile(r"[+-]?\d+")
WORDS = {"true", "false"}
# Beyond it whole numbers that differ become the same: they are names.
LARGEST_EXACT = 2**53
# Numbers with thousands or decimals set apart by commas, with units or signs of money.
WRITTEN_NUMBER = re.compile(r"[-+]?[€$£]?\s?\d[\d.,' ]*\s?[%€$£]?")
WRITTEN_SHARE = 0.9
PLAIN_NUMBERS = "written with digits and a decimal point alone they would be numbers"
NUMERIC_KINDS = {"integer", "floating", "decimal", "mixed-integer-float"}
TEXT_KINDS = {"string", "empty"}


@dataclass(frozen=True, eq=False)
class Column:
    """values: shape (n,), as a Dataset holds them: float64 (missing is NaN) or object (str, missing is None)."""

    name: str
    type: FeatureType
    values: NDArray[np.object_] | NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def present(self) -> pd.Series:
        """The values that aren't missing."""
        values = pd.Series(self.values)
        return values[values.notna()]

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """The values as numbers, missing is NaN; of a column that isn't a category."""
        return self.values.astype(np.float64)

    @property
    def missing(self) -> int:
        """How many values are missing."""
        return len(self) - len(self.present)

    @cached_property
    def counts(self) -> pd.Series:
        """How often each value occurs, the most frequent first."""
        return self.present.value_counts()

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers that have an order and a size."""
        return self.type in {"number", "integer"}

    @cached_property
    def is_written_numbers(self) -> bool:
        """Whether nearly all texts are numbers in a form that isn't read as one, such as 1,234.50 or 12%."""
        fits = [bool(WRITTEN_NUMBER.fullmatch(str(value).strip())) for value in self.counts.index]
        is_read = pd.to_numeric(pd.Series(self.counts.index), errors="coerce").notna()
        return self.type == "category" and sum(fits) >= WRITTEN_SHARE * len(fits) and not bool(is_read.all())


def typed_column(table: Table, name: str) -> Column | None:
    """The column under the narrowest type that the loader accepts all of it under; None where there is none."""
    for kind in _candidates(table, name):
        faults: list[str] = []
        source = table.numbers if kind in {"number", "integer"} else table.texts
        values = feature_values(source[name], name, Feature(type=kind, nullable=True), faults)
        if not faults:
            return Column(name, kind, values)
    return None


def _candidates(table: Table, name: str) -> Iterator[FeatureType]:
    if table.is_typed and (kind := _declared_kind(table.texts[name])) not in TEXT_KINDS:
        yield from _declared(kind)
        return
    texts = {str(text).strip() for text in table.texts[name].dropna().unique()} - {""}
    if {text.lower() for text in texts} <= WORDS:
        yield "boolean"
    is_code = any(CODE.fullmatch(text) or _is_beyond_numbers(text) for text in texts)
    if not is_code:
        # 2.0 was written by somebody who expects 2.5 as well.
        if all(WHOLE.fullmatch(text) for text in texts.difference(MISSING_NUMBERS)):
            yield "integer"
        yield "number"
    # Numbers that no number feature takes (infinite ones) aren't a category.
    if is_code or not pd.api.types.is_numeric_dtype(table.numbers[name]):
        yield "category"


def _is_beyond_numbers(text: str) -> bool:
    return len(text) >= len(str(LARGEST_EXACT)) and WHOLE.fullmatch(text) is not None and abs(int(text)) > LARGEST_EXACT


def _declared_kind(column: pd.Series) -> str:
    """What a Parquet file says that the column holds; its texts are looked at as those of a CSV file are."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = pd.Series(column.cat.categories)
    return str(pd.api.types.infer_dtype(column, skipna=True))


def _declared(kind: str) -> Iterator[FeatureType]:
    if kind == "boolean":
        yield "boolean"
    if kind == "integer":
        yield "integer"
    if kind in NUMERIC_KINDS:
        yield "number"
