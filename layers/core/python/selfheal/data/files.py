"""Labelled tables of users, as files: CSV (also gzipped) and Parquet, checked against the contract as a whole."""

import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract, Feature
from selfheal.data.dataset import Dataset, typed_features
from selfheal.data.moments import as_datetime64
from selfheal.errors import DataInvalid

# What a CSV file may write for a missing number; in a category feature these are ordinary strings.
MISSING_NUMBERS = ["", "NA", "N/A", "NaN", "nan", "NULL", "null", "None"]
BOOLEANS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
# Where a file has no times, its rows count as this far apart.
ROW_INTERVAL = timedelta(seconds=1)

# What readers raise at a file that isn't what its name promises.
UNREADABLE = (OSError, ValueError, EOFError, zlib.error)

type Column = pd.Series
type Floats = NDArray[np.float64]


class TargetValues(NamedTuple):
    """The label's two values in the user's own terms, as text."""

    positive: str
    negative: str


def load_dataset(path: Path, contract: Contract, *, end: datetime) -> Dataset:
    """The labelled rows of a file, in time order, with the row ids `base-<row>` (row 0 is the first below the header).

    Times are those of the contract's time column, in UTC where they carry no zone. A file without that column is in
    time order by definition: its rows count as one second apart, the last one at `end`. Other columns are ignored.

    Raises:
        DataInvalid: with every fault found: missing columns by name, values of another type or outside the limits,
            a label with more than two values, missing labels.
    """
    frame = _read(path, contract)
    faults: list[str] = []
    columns = {name: feature_values(frame[name], name, feature, faults) for name, feature in contract.features.items()}
    labels = _labels(frame[contract.model.target], contract, faults)
    timestamps = _timestamps(frame, contract, end, faults)
    if faults:
        raise DataInvalid(faults)
    row_ids = np.array([f"base-{row:09d}" for row in range(len(frame))], dtype=object)
    features = typed_features(pd.DataFrame(columns), contract)
    return Dataset(row_ids, timestamps, features, labels).in_time_order()


def label_values(path: Path, contract: Contract) -> TargetValues:
    """The two values of the file's label column. Raises DataInvalid."""
    faults: list[str] = []
    values = _label_values(label_texts(_read(path, contract)[contract.model.target]), contract, faults)
    if faults:
        raise DataInvalid(faults)
    return values


def label_text(value: object) -> str:
    """A label value as text, one text a value: 1, 1.0 and "1" are the same, and so are true and True."""
    text = str(value).strip()
    if text.lower() in {"true", "false"}:
        return text.lower()
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() else text


def _read(path: Path, contract: Contract) -> pd.DataFrame:
    needed = [*contract.feature_names, contract.model.target]
    time = contract.model.time_column
    try:
        present = column_names(path)
        names = [*needed, *([time] if time in present else [])]
        if faults := list(_header_faults(path, present, names)):
            raise DataInvalid(faults)
        return _read_columns(path, contract, names)
    except UNREADABLE as error:
        raise DataInvalid([unreadable(path, error)]) from error


def _header_faults(path: Path, present: list[str], names: list[str]) -> Iterator[str]:
    if separator := other_separator(path, present):
        yield separator
        return
    for name in names:
        if name not in present:
            yield f"column {name!r} is missing from {path.name}"
        elif present.count(name) > 1:
            yield f"{path.name} has {present.count(name)} columns {name!r}: give each its own name"


def column_names(path: Path) -> list[str]:
    """The names of a file's columns as it writes them, "" where it writes none. Raises what UNREADABLE lists."""
    if is_parquet(path):
        from pyarrow.parquet import read_schema

        return list(read_schema(path).names)
    # As a row: a header's names would be made different from each other.
    header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
    return [str(name) for name in header.iloc[0]]


def other_separator(path: Path, names: list[str]) -> str | None:
    """What to do about a CSV file whose only column's name holds another separator; None where that isn't so."""
    found = next((sign for sign in (";", "\t", "|") if len(names) == 1 and sign in names[0]), None)
    return None if found is None else f"{path.name} separates its columns by {found!r}: save it with commas"


def unreadable(path: Path, error: Exception) -> str:
    """What to do about a file that can't be read as its name promises."""
    if isinstance(error, UnicodeDecodeError):
        return f"{path.name} is not UTF-8: save it as UTF-8 text"
    return f"{path.name} can't be read as its name promises: {first_line(error)}"


def _read_columns(path: Path, contract: Contract, names: list[str]) -> pd.DataFrame:
    if is_parquet(path):
        return pd.read_parquet(path, columns=names)
    numeric = {name for name, feature in contract.features.items() if feature.type in {"number", "integer"}}
    return pd.read_csv(
        path,
        usecols=names,
        dtype=dict.fromkeys(set(names) - numeric, str),
        na_values=dict.fromkeys(numeric, MISSING_NUMBERS),
        keep_default_na=False,
        low_memory=False,
    )


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet rather than CSV, by its name. Raises DataInvalid where it promises neither."""
    if path.name.endswith((".parquet", ".pq")):
        return True
    if path.name.endswith((".csv", ".csv.gz")):
        return False
    raise DataInvalid([f"{path.name}: only .csv, .csv.gz and .parquet files are read"])


def first_line(error: Exception) -> str:
    """What an error says, without what follows in further lines."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def feature_values(column: Column, name: str, feature: Feature, faults: list[str]) -> NDArray[np.object_] | Floats:
    """A column's values as a Dataset holds them, shape (n,); `faults` gains what doesn't match the feature."""
    check: Callable[[Column, str, Feature], Iterator[str]]
    values: NDArray[np.object_] | Floats
    if feature.is_category:
        values, check = _strings(column), _category_faults
    else:
        values, check = _numbers(column, is_boolean=feature.type == "boolean"), _number_faults
    is_missing = pd.isna(values)
    faults.extend(_missing_faults(column, is_missing, name, feature))
    faults.extend(check(pd.Series(values)[~is_missing], name, feature))
    return values


def _is_blank(column: Column) -> NDArray[np.bool_]:
    blank = column.isna()
    return np.asarray(
        blank if pd.api.types.is_numeric_dtype(column) else blank | (column.astype(str).str.strip() == "")
    )


def _strings(column: Column) -> NDArray[np.object_]:
    values = column.astype(object).map(str, na_action="ignore").to_numpy(dtype=object, copy=True)
    values[_is_blank(column)] = None
    return values


def _numbers(column: Column, *, is_boolean: bool) -> Floats:
    if is_boolean and not pd.api.types.is_bool_dtype(column):
        column = column.astype(object).map(lambda value: BOOLEANS.get(str(value).strip().lower(), np.nan))
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _missing_faults(column: Column, is_missing: NDArray[np.bool_], name: str, feature: Feature) -> Iterator[str]:
    blank = _is_blank(column)
    yield from _fault(is_missing & ~blank, name, f"not of type {feature.type}")
    if not feature.nullable:
        yield from _fault(blank, name, "missing, and the feature is not nullable")


def _number_faults(values: Column, name: str, feature: Feature) -> Iterator[str]:
    yield from _fault(np.isinf(values), name, "not finite")
    if feature.type == "integer":
        yield from _fault(np.isfinite(values) & (values % 1 != 0), name, "not whole")
    if feature.minimum is not None:
        yield from _fault(values < feature.minimum, name, f"below the minimum {feature.minimum:g}")
    if feature.maximum is not None:
        yield from _fault(values > feature.maximum, name, f"above the maximum {feature.maximum:g}")


def _category_faults(values: Column, name: str, feature: Feature) -> Iterator[str]:
    if feature.categories is not None:
        yield from _fault(~values.isin(feature.categories), name, "not among the categories")


def _fault(where: Column | NDArray[np.bool_], name: str, problem: str) -> Iterator[str]:
    series = pd.Series(where)
    if series.any():
        yield f"{name}: {int(series.sum())} value(s) {problem}; the first in row {series.idxmax()}"


def label_texts(column: Column) -> pd.Series:
    """Each label as its text, None where it is missing."""
    texts = {value: label_text(value) for value in column.dropna().unique()}
    return column.map(texts).where(~_is_blank(column), None)


def _label_values(texts: pd.Series, contract: Contract, faults: list[str]) -> TargetValues:
    target, positive = contract.model.target, label_text(contract.model.positive_label)
    faults.extend(_fault(texts.isna(), target, "missing, and every row needs a label"))
    others = sorted(set(texts.dropna()) - {positive})
    if len(others) > 1:
        listed = ", ".join(repr(value) for value in others[:5])
        faults.append(
            f"{target}: beside the positive label {positive!r} there are {len(others)} values ({listed}), not one"
        )
    return TargetValues(positive, others[0] if others else {"1": "0", "true": "false"}.get(positive, f"not {positive}"))


def _labels(column: Column, contract: Contract, faults: list[str]) -> NDArray[np.int8]:
    texts = label_texts(column)
    return np.asarray(texts == _label_values(texts, contract, faults).positive, dtype=np.int8)


def _timestamps(frame: pd.DataFrame, contract: Contract, end: datetime, faults: list[str]) -> NDArray[np.datetime64]:
    name = contract.model.time_column
    if name is None or name not in frame:
        last = as_datetime64(end)
        return last - np.arange(len(frame))[::-1] * np.timedelta64(ROW_INTERVAL)
    return time_values(frame[name], name, faults)


def time_values(column: Column, name: str, faults: list[str]) -> NDArray[np.datetime64]:
    """A column's moments in UTC, shape (n,); `faults` gains what isn't one."""
    moments = pd.to_datetime(column, utc=True, format="ISO8601", errors="coerce")
    faults.extend(_fault(moments.isna(), name, "not an ISO 8601 time (such as 2026-01-31T12:00:00 or 2026-01-31)"))
    return moments.dt.tz_convert(None).to_numpy(dtype="datetime64[us]")
