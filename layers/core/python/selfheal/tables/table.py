"""What every table can: rows taken by mask or position, tables put one after the other, features as columns."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

type Selection = NDArray[np.bool_] | NDArray[np.intp] | slice


@dataclass(frozen=True, eq=False)
class Table:
    """n rows: a dataclass whose fields are arrays of shape (n, ...), frames of n rows, or tables of n rows."""

    def __len__(self) -> int:
        return len(next(iter(_parts_of(self).values())))

    def take(self, rows: Selection) -> Self:
        """The rows that a mask, positions or a slice select, in that order."""
        if isinstance(rows, np.ndarray) and rows.dtype == np.bool_ and rows.all():
            return self
        return type(self)(**{name: _taken(part, rows) for name, part in _parts_of(self).items()})

    @classmethod
    def concatenate(cls, tables: Sequence[Self]) -> Self:
        """The rows of several tables, in the order given; there must be one at least."""
        if len(tables) == 1:
            return tables[0]
        names = _parts_of(tables[0])
        return cls(**{name: _joined([getattr(table, name) for table in tables]) for name in names})


def columns_of(features: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Features by name, shape (n,) each, as a model reads them."""
    return {str(name): features[name].to_numpy() for name in features}


def _parts_of(table: Table) -> dict[str, Any]:
    return {field.name: getattr(table, field.name) for field in fields(table)}


def _taken(part: Any, rows: Selection) -> Any:
    if isinstance(part, pd.DataFrame):
        return part.iloc[rows].reset_index(drop=True)
    return part.take(rows) if isinstance(part, Table) else part[rows]


def _joined(parts: Sequence[Any]) -> Any:
    if isinstance(parts[0], pd.DataFrame):
        return pd.concat(parts, ignore_index=True)
    return type(parts[0]).concatenate(parts) if isinstance(parts[0], Table) else np.concatenate(parts)
