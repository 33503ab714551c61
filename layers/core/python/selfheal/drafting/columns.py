"""What a column holds, and the type under which the loader takes every value of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from selfheal.contract.model import Feature, FeatureType, FileSection
from selfheal.drafting.table import Table
from selfheal.files.cells import numbers
from selfheal.files.columns import LARGEST_EXACT, is_text
from selfheal.files.features import feature_values
from selfheal.files.texts import MISSING_NUMBERS

CODE = re.compile(r"0\d+")
WHOLE = re.compile(r"[+-]?\d+")
WORDS = {"true", "false"}
# Numbers with thousands or decimals set apart by commas, with units or signs of money.
WRITTEN_NUMBER = re.compile(r"[-+]?[€$£]?\s?\d[\d.,' ]*\s?[%€$£]?")
WRITTEN_SHARE = 0.9
PLAIN_NUMBERS = "written with digits and a decimal point alone they would be numbers"


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
    if name in table.odd:
        return None
    for kind in _candidates(table.column(name), table.spec):
        found = feature_values(table.column(name), Feature(type=kind, nullable=True), table.spec)
        if not found.problems:
            return Column(name, kind, found.column)
    return None


def _candidates(cells: pa.Array, spec: FileSection) -> Iterator[FeatureType]:
    if not is_text(cells.type):
        yield from _declared(cells.type)
        return
    texts = {text.strip() for text in cells.unique().to_pylist() if text is not None} - {""}
    if {text.lower() for text in texts} <= WORDS:
        yield "boolean"
    is_code = any(CODE.fullmatch(text) or _is_beyond_numbers(text) for text in texts)
    if not is_code:
        # 2.0 was written by somebody who expects 2.5 as well.
        if not any({spec.decimal, "e", "E"} & {*text} for text in texts.difference(MISSING_NUMBERS)):
            yield "integer"
        yield "number"
    # Numbers that no number feature takes (infinite ones) aren't a category.
    if is_code or numbers(cells, spec).wrong.any():
        yield "category"


def _is_beyond_numbers(text: str) -> bool:
    return len(text) >= len(str(LARGEST_EXACT)) and WHOLE.fullmatch(text) is not None and abs(int(text)) > LARGEST_EXACT


def _declared(kind: pa.DataType) -> Iterator[FeatureType]:
    """By the type that a columnar file, a sheet or JSON gives the column."""
    if pa.types.is_boolean(kind):
        yield "boolean"
    if pa.types.is_integer(kind):
        yield "integer"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        yield "number"
    # Whole numbers that no float holds are names.
    if pa.types.is_integer(kind):
        yield "category"
