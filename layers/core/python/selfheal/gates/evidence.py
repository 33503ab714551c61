"""The rows that both models were scored on: all that a verdict depends on, and what is stored beside it."""

import io
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from selfheal.data.stored_table import table_in
from selfheal.gates.blend import MemberAnswers
from selfheal.tasks import BINARY, Task
from selfheal.tasks.metric import Metric
from selfheal.tasks.port import Floats, Labels


@dataclass(frozen=True, eq=False)
class EvidenceRows:
    """n labelled rows that neither model has seen, oldest first (of a probation: in the order in which labels came).

    row_ids: shape (n,), strings. timestamps: shape (n,), datetime64[us] in UTC. labels: shape (n,).
    *_probability: what each model answers. *_prediction: shape (n,), at each model's own operating point.
    weights: shape (n,), positive float64; 1 where labelled rows look like all rows.
    segments: n rows, one column for each feature that a segment of the contract names.
    members: what each version in question says of the rows, where the shadow model is a blend of them.
    task: what kind of labels and answers they are.
    """

    row_ids: NDArray[np.object_]
    timestamps: NDArray[np.datetime64]
    labels: Labels
    production_probability: Floats
    shadow_probability: Floats
    production_prediction: Labels
    shadow_prediction: Labels
    weights: Floats
    segments: pd.DataFrame
    members: MemberAnswers | None = None
    task: Task = BINARY

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def is_usable(self) -> bool:
        """Whether there is a row at all, and both models gave each row an answer."""
        answers = (self.production_probability, self.shadow_probability)
        return len(self) > 0 and all(self.task.are_answers(said) for said in answers)

    @property
    def of_newcomer(self) -> "tuple[EvidenceRows, ...]":
        """The rows that the newest member of a blend answers, if they aren't all."""
        if self.members is None:
            return ()
        said = self.members.probabilities[:, 0]
        chosen = np.isfinite(said) if said.ndim == 1 else np.isfinite(said).all(axis=1)
        return (self._take(chosen),) if 0 < chosen.sum() < len(self) else ()

    def _take(self, chosen: NDArray[np.bool_]) -> "EvidenceRows":
        return EvidenceRows(
            **{name: getattr(self, name)[chosen] for name in COLUMNS}, segments=self.segments[chosen], task=self.task
        )

    @property
    def losses(self) -> tuple[Floats, Floats]:
        """Weighted losses of production and of the shadow model, each of shape (n,)."""
        production = self.weights * self.task.losses(self.production_probability, self.labels)
        return production, self.weights * self.task.losses(self.shadow_probability, self.labels)

    @property
    def gains(self) -> Floats:
        """Shape (n,): each row's loss of production minus that of the shadow model."""
        production, shadow = self.losses
        return production - shadow

    def weighted(self, weights: Floats) -> "EvidenceRows":
        """The same rows under other weights, shape (n,)."""
        return replace(self, weights=weights)

    def sums(self, metric: Metric, blocks: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """What a metric of production and of the shadow model is made of, by block of rows, shape (blocks, m) each."""
        production = self.production_probability, self.production_prediction
        shadow = self.shadow_probability, self.shadow_prediction
        before, after = (metric.sums(*said, self.labels, self.weights, blocks) for said in (production, shadow))
        return before, after


COLUMNS = tuple(field.name for field in fields(EvidenceRows) if field.name not in {"segments", "members", "task"})
SEGMENT_PREFIX, MEMBER_PREFIX = "segment.", "member."
# Of a member's column: its operating point.
THRESHOLD = b"threshold"


def evidence_to_parquet(rows: EvidenceRows) -> bytes:
    """The rows as a Parquet file; the same rows give the same bytes."""
    frame = pd.DataFrame({name: getattr(rows, name) for name in COLUMNS if getattr(rows, name).ndim == 1})
    table = pa.Table.from_pandas(
        pd.concat([frame, rows.segments.add_prefix(SEGMENT_PREFIX).reset_index(drop=True)], axis=1),
        preserve_index=False,
    )
    for name in COLUMNS:
        if getattr(rows, name).ndim > 1:
            table = table.append_column(name, _as_column(getattr(rows, name)))
    if rows.members is not None:
        table = _with_members(table, rows.members)
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


def evidence_from_parquet(body: bytes, task: Task = BINARY) -> EvidenceRows:
    """The rows that `evidence_to_parquet` wrote; `task` is what kind of labels they have."""
    table = table_in(body)
    frame = table.to_pandas()
    segments = frame[[name for name in frame if str(name).startswith(SEGMENT_PREFIX)]]
    return EvidenceRows(
        **{name: _as_array(table[name]) if _is_list(table[name]) else frame[name].to_numpy() for name in COLUMNS},
        segments=segments.rename(columns=lambda name: str(name).removeprefix(SEGMENT_PREFIX)),
        members=_members(table, task),
        task=task,
    )


def _with_members(table: pa.Table, members: MemberAnswers) -> pa.Table:
    for version, said, threshold in zip(
        members.versions, np.moveaxis(members.probabilities, 1, 0), members.thresholds.tolist(), strict=True
    ):
        column = _as_column(said)
        field = pa.field(f"{MEMBER_PREFIX}{version}", column.type, metadata={THRESHOLD: repr(threshold).encode()})
        table = table.append_column(field, column)
    return table


def _as_column(values: NDArray[Any]) -> pa.Array:
    """An array of shape (n,) or (n, k) as a column."""
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ravel(values)), values.shape[1])


def _is_list(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_fixed_size_list(column.type))


def _as_array(column: pa.ChunkedArray) -> NDArray[Any]:
    """The array that a column was made of."""
    if not _is_list(column):
        return np.asarray(column.to_numpy())
    return np.asarray(column.combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1))


def _members(table: pa.Table, task: Task) -> MemberAnswers | None:
    columns = [field for field in table.schema if field.name.startswith(MEMBER_PREFIX)]
    if not columns:
        return None
    return MemberAnswers(
        versions=tuple(field.name.removeprefix(MEMBER_PREFIX) for field in columns),
        probabilities=np.stack([_as_array(table[field.name]) for field in columns], axis=1),
        thresholds=np.array([float((field.metadata or {}).get(THRESHOLD, b"nan")) for field in columns]),
        task=task,
    )
