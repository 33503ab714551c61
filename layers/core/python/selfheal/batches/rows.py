"""A batch of a file's rows as a request has them: those that match the contract, and those that don't, with reasons."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from selfheal.batches.layout import Layout
from selfheal.contract.model import Feature
from selfheal.contract.request import Rows
from selfheal.files.columns import texts, values
from selfheal.files.features import feature_values
from selfheal.files.source import Batch
from selfheal.records.batches import RefusedRow
from selfheal.records.external_ids import external_id


@dataclass(frozen=True)
class ReadRows:
    """n rows that can be answered: as a request, where each is in the file, and its cells as text, by row.

    refused: the others.
    """

    rows: Rows
    lines: list[int]
    cells: list[tuple[str, ...]]
    refused: list[RefusedRow]

    def __len__(self) -> int:
        return len(self.lines)

    def id_of(self, row: int) -> str:
        """The user's own id of a row, empty where it has none."""
        return (self.rows.ids[row] if self.rows.ids else None) or ""

    def parts(self, size: int) -> "Iterator[ReadRows]":
        """The rows some at a time; what is refused comes with the first part."""
        refused = self.refused
        for start in range(0, len(self) or int(bool(refused)), size):
            yield ReadRows(
                rows=_slice(self.rows, slice(start, start + size)),
                lines=self.lines[start : start + size],
                cells=self.cells[start : start + size],
                refused=refused,
            )
            refused = []


def read_rows(batch: Batch, layout: Layout) -> ReadRows:
    """Read a batch by a contract."""
    spec, faults = layout.contract.file, defaultdict[int, list[str]](list)
    columns: dict[str, NDArray[Any]] = {}
    for name, feature in layout.contract.features.items():
        read = feature_values(batch.columns[layout.features[name]], feature, spec)
        columns[name] = read.column
        for problem in read.problems:
            for row in np.flatnonzero(problem.where):
                faults[int(row)].append(f"{name} is {problem.said}")
    ids = _ids(batch, layout, faults)
    cells = _cells(batch, layout)
    good = [row for row in range(len(batch.lines)) if row not in faults]
    refused = [
        RefusedRow(line=int(batch.lines[row]), id=(ids[row] if ids else None) or "", reason="; ".join(reasons))
        for row, reasons in faults.items()
    ]
    unreadable = [RefusedRow(line=fault.line, reason=fault.reason) for fault in batch.faults]
    return ReadRows(
        rows=_rows(columns, ids, np.array(good, dtype=np.intp), layout),
        lines=[int(batch.lines[row]) for row in good],
        cells=[cells[row] for row in good],
        refused=sorted([*refused, *unreadable], key=lambda row: row.line),
    )


def _ids(batch: Batch, layout: Layout, faults: dict[int, list[str]]) -> list[str | None] | None:
    if layout.id_column is None:
        return None
    ids: list[str | None] = []
    for row, text in enumerate(_texts(batch.columns[layout.id_column], layout)):
        try:
            ids.append(external_id(text))
        except ValueError as error:
            ids.append(None)
            faults[row].append(f"{layout.id_column} is no id: {error}")
    return ids


def _cells(batch: Batch, layout: Layout) -> list[tuple[str, ...]]:
    if not layout.kept:
        return [()] * len(batch.lines)
    columns = [_texts(batch.columns[name], layout) for name in layout.kept]
    return list(zip(*columns, strict=True))


def _texts(column: pa.Array, layout: Layout) -> list[str]:
    return [text or "" for text in values(texts(column, layout.contract.file.decimal))]


def _rows(
    columns: dict[str, NDArray[Any]], ids: list[str | None] | None, good: NDArray[np.intp], layout: Layout
) -> Rows:
    taken = {name: column[good] for name, column in columns.items()}
    features = layout.contract.features
    as_sent = [_as_sent(taken[name], feature) for name, feature in features.items()]
    sent = [dict(zip(features, row, strict=True)) for row in zip(*as_sent, strict=True)]
    return Rows(sent, many=True, columns=taken, ids=None if ids is None else [ids[row] for row in good])


def _as_sent(column: NDArray[Any], feature: Feature) -> Sequence[Any]:
    """A column's values as JSON has them."""
    if feature.is_category:
        return list(column)
    numbers = [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 - NaN is missing
    if feature.type == "boolean":
        return [None if value is None else bool(value) for value in numbers]
    return numbers


def _slice(rows: Rows, part: slice) -> Rows:
    columns = None if rows.columns is None else {name: column[part] for name, column in rows.columns.items()}
    return Rows(rows.values[part], rows.many, columns, None if rows.ids is None else rows.ids[part])
