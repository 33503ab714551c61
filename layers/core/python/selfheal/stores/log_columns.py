"""Lines of the prediction log as columns: only a part of them is in memory as lines, which take five times as much."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import batched
from typing import Any

import pandas as pd

# Columns beside the features; a contract can't hold such names.
ID, OWN_ID, TIMESTAMP, VERSION, PROBABILITY, PREDICTION = (
    "__prediction_id",
    "__id",
    "__timestamp",
    "__model_version",
    "__probability",
    "__prediction",
)
# Before the name of a class, of the column of its probabilities.
BY_CLASS = "__probability."
# Lines that are taken apart at once.
PART = 20_000

type Row = Mapping[str, Any]


def columns_of(rows: Callable[[], Iterator[Row]], part: int = PART) -> pd.DataFrame:
    """The rows as one frame, the same whatever the size of a part.

    rows: starts to read them, and may be asked twice: where parts of a column are of different kinds, such as numbers
    in one and texts in another, all of them decide together. Raises what reading raises.
    """
    parts = [_columns(some) for some in batched(rows(), part, strict=False)]
    if len(parts) == 1:
        return parts[0]
    if not parts or not _are_alike(parts):
        return _columns(list(rows()))
    return pd.concat(parts, ignore_index=True)


def _are_alike(parts: Sequence[pd.DataFrame]) -> bool:
    first = parts[0].dtypes
    return all(part.dtypes.equals(first) for part in parts)


def _columns(logged: Sequence[Row]) -> pd.DataFrame:
    features = pd.DataFrame([row["features"] for row in logged], dtype=object)
    columns: dict[str, Any] = {
        ID: pd.Series([row["prediction_id"] for row in logged], dtype=object),
        OWN_ID: pd.Series([row.get("id") for row in logged], dtype=object),
        TIMESTAMP: pd.Series([row["timestamp"].removesuffix("Z") for row in logged], dtype="datetime64[ms]"),
        # One text for all rows of a version, not one for each.
        VERSION: pd.Series([sys.intern(row["model_version"]) for row in logged], dtype=object),
        PROBABILITY: pd.Series([row["probability"] for row in logged], dtype="float64"),
        PREDICTION: _predictions([row["prediction"] for row in logged]),
        **_by_class(logged),
    }
    return pd.DataFrame({**columns, **{str(name): _plain(features[name]) for name in features}})


def _predictions(values: list[int | float | str]) -> pd.Series:
    """0 or 1, numbers, or classes as users write them."""
    if any(isinstance(value, str) for value in values):
        return pd.Series(values, dtype=object)
    return pd.Series(values, dtype="float64" if any(isinstance(value, float) for value in values) else "int8")


def _by_class(logged: Sequence[Row]) -> dict[str, pd.Series]:
    """A column of probabilities for each class that any of the rows tells of."""
    said = [row.get("probabilities") or {} for row in logged]
    names = dict.fromkeys(name for row in said for name in row)
    return {f"{BY_CLASS}{name}": pd.Series([row.get(name) for row in said], dtype="float64") for name in names}


def _plain(column: pd.Series) -> pd.Series:
    """Numbers and booleans as float64; where any value is a text, all are."""
    if any(isinstance(value, str) for value in column):
        return column.map(str, na_action="ignore").where(column.notna(), None).astype(object)
    return column.astype("float64")
