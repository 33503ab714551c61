"""Labelled rows from a file of a user's, checked against the contract as a whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.data.labels import Coded, TargetValues, coded_labels, label_texts, target_values
from selfheal.data.moments import as_datetime64
from selfheal.errors import DataInvalid, FileUnreadable
from selfheal.files.cells import Mask, is_padded
from selfheal.files.features import Problem, feature_values
from selfheal.files.features import advice as number_advice
from selfheal.files.source import Source
from selfheal.files.table import Table, Tabular, reading, table_of
from selfheal.files.texts import shown
from selfheal.files.times import advice as time_advice
from selfheal.files.times import expected, times_of
from selfheal.tables.dataset import Dataset, typed_features

# Where a file has no times, its rows count as this far apart.
ROW_INTERVAL = timedelta(seconds=1)


@dataclass(frozen=True, eq=False)
class LabelledFile:
    """The rows of a file, what its labels are called, and what its reader should hear: a sentence each."""

    rows: Dataset
    label_values: TargetValues
    notes: tuple[str, ...]


def load_dataset(path: Tabular, contract: Contract, *, end: datetime) -> Dataset:
    """The rows of `read_labelled`, for who has nobody to tell its notes to."""
    return read_labelled(path, contract, end=end).rows


def read_labelled(path: Tabular, contract: Contract, *, end: datetime, now: datetime | None = None) -> LabelledFile:
    """The labelled rows of a file, in time order, with the row ids `base-<row>` (row 0 is the first of the file).

    Times are those of the contract's time column. A file without that column is in time order by definition: its rows
    count as one second apart, the last one at `end`. Other columns are ignored. Rows without a label, and rows later
    than `now`, are left out and counted in the notes.

    Raises:
        DataInvalid: with every fault found: missing columns by name, values of another type or outside the limits,
            a label that isn't one of the contract's task; each with its first value and where that is.
    """
    try:
        with reading(path, contract.file) as source:
            table, notes = _read(source, contract)
    except FileUnreadable as error:
        raise DataInvalid([str(error)]) from error
    faults: list[str] = []
    rows, timestamps = np.arange(len(table)), _timestamps(table, contract, end, faults, notes)
    labels = label_texts(table.columns[contract.model.target], contract.file)
    kept = _labelled(table, labels, notes) & _past(table, timestamps, contract, now, notes)
    table, rows, timestamps, labels = table.take(kept), rows[kept], timestamps[kept], labels[kept]
    columns = {name: _feature(table, name, contract, faults, notes) for name in contract.feature_names}
    values = target_values(labels, contract, faults)
    coded = coded_labels(labels, values, contract)
    faults.extend(_label_faults(table, coded, contract))
    if faults:
        raise DataInvalid(faults)
    dataset = Dataset(
        row_ids=np.array([f"base-{row:09d}" for row in rows], dtype=object),
        timestamps=timestamps,
        features=typed_features(pd.DataFrame(columns), contract),
        labels=coded.labels,
    )
    return LabelledFile(dataset.in_time_order(), values, tuple(notes))


def read_features(data: Tabular, contract: Contract) -> Table:
    """Those of the contract's features that a file has.

    Raises:
        FileUnreadable: it is no table.
        DataInvalid: it has no rows, or a name twice.
    """
    with reading(data, contract.file) as source:
        present = [name for name in contract.feature_names if name in source.names()]
        if faults := missing_columns(source, present):
            raise DataInvalid(faults)
        table = table_of(source, contract.file, present)
    if not len(table):
        raise DataInvalid([f"{data.name} has no rows to compare"])
    return table


def problem_text(table: Table, name: str, problem: Problem) -> str:
    """A problem of a column, with how many cells have it, the first of them, and where it is."""
    text, place = table.text(name, problem.first), table.place(problem.first)
    first = f"the first is {shown(text)} in {place}" if text else f"the first in {place}"
    hint = number_advice(text, table.spec) if problem.kind == "type" else ""
    return f"{name}: {problem.rows} value(s) {problem.said}; {first}{hint}"


def missing_columns(source: Source, needed: Sequence[str]) -> list[str]:
    """A sentence for each name that the file lacks or has twice."""
    return list(_header_faults(source, needed))


def _read(source: Source, contract: Contract) -> tuple[Table, list[str]]:
    present, time, hour = source.names(), contract.model.time_column, contract.file.hour_column
    needed = [*contract.feature_names, contract.model.target]
    notes = []
    if time is not None and time in present:
        needed += [time, *([hour] if hour is not None else [])]
    elif time is not None:
        notes.append(f"{source.name} has no time column {time!r}: its rows are taken to be in order of time")
    if faults := missing_columns(source, list(dict.fromkeys(needed))):
        raise DataInvalid(faults)
    return table_of(source, contract.file, list(dict.fromkeys(needed))), notes


def _header_faults(source: Source, needed: Sequence[str]) -> Iterator[str]:
    present = source.names()
    stripped = {name.strip(): name for name in present}
    for name in needed:
        if name not in present and name in stripped:
            yield (
                f"column {name!r} is called {stripped[name]!r} in {source.name}, with blanks around it: take them out, "
                'or set separator = ", " under [file] where a blank follows every comma'
            )
        elif name not in present:
            yield f"column {name!r} is missing from {source.name}"
        elif present.count(name) > 1:
            yield f"{source.name} has {present.count(name)} columns {name!r}: give each its own name"


def _labelled(table: Table, labels: NDArray[np.object_], notes: list[str]) -> Mask:
    missing = np.array([text is None for text in labels], dtype=bool)
    if missing.any():
        first = table.place(int(np.flatnonzero(missing)[0]))
        notes.append(f"{int(missing.sum())} of {len(table)} rows have no label and are left out; the first in {first}")
    return ~missing


def _label_faults(table: Table, coded: Coded, contract: Contract) -> Iterator[str]:
    if coded.wrong.any():
        yield problem_text(table, contract.model.target, Problem(coded.wrong, "other", coded.said))


def _feature(
    table: Table, name: str, contract: Contract, faults: list[str], notes: list[str]
) -> NDArray[np.object_] | NDArray[np.float64]:
    feature, cells = contract.features[name], table.columns[name]
    found = feature_values(cells, feature, table.spec)
    faults.extend(problem_text(table, name, problem) for problem in found.problems)
    if feature.is_category and (padded := is_padded(cells)).any():
        notes.append(
            problem_text(table, name, Problem(padded, "other", "have blanks around them, and are values of their own"))
        )
    return found.column


def _timestamps(
    table: Table, contract: Contract, end: datetime, faults: list[str], notes: list[str]
) -> NDArray[np.datetime64]:
    name, spec = contract.model.time_column, contract.file
    if name is None or name not in table.columns:
        last = as_datetime64(end)
        return last - np.arange(len(table))[::-1] * np.timedelta64(ROW_INTERVAL)
    return time_values(table, name, spec.hour_column, faults, notes)


def time_values(
    table: Table, name: str, hour: str | None, faults: list[str], notes: list[str]
) -> NDArray[np.datetime64]:
    """A column's moments in UTC, shape (n,); `faults` gains what isn't one, `notes` what is one of two."""
    cells, spec = table.columns[name], table.spec
    found = times_of(cells, spec, None if hour is None else table.columns[hour])
    wrong = np.isnat(found.moments)
    if wrong.any():
        beside = "" if hour is None else f" (or its hour in {hour!r} is none of 0 to 23)"
        skipped = "" if spec.zone == "UTC" else f", or one that the clocks of {spec.zone} skip"
        said = f"not {expected(spec)}{beside}{skipped}"
        problem = Problem(wrong, "other", said)
        faults.append(problem_text(table, name, problem) + time_advice(table.text(name, problem.first), spec))
    if found.repeated.any():
        said = f"in an hour that the clocks of {spec.zone} show twice, and are taken for the first"
        notes.append(problem_text(table, name, Problem(found.repeated, "other", said)))
    return found.moments


def _past(
    table: Table, timestamps: NDArray[np.datetime64], contract: Contract, now: datetime | None, notes: list[str]
) -> Mask:
    """Which rows aren't of the future: one of the year 9999 would be newer than all that is ever asked."""
    name = contract.model.time_column
    if now is None or name is None or name not in table.columns:
        return np.ones(len(table), dtype=bool)
    future = timestamps > as_datetime64(now)
    if future.any():
        zoned = "" if contract.file.zone != "UTC" else " (set zone under [file] where times are local)"
        said = f"later than now ({now:%Y-%m-%d %H:%M} UTC), and their rows are left out{zoned}"
        notes.append(problem_text(table, name, Problem(future, "other", said)))
    return ~future
