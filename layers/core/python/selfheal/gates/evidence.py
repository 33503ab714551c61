"""The rows that both models were scored on: all that a verdict depends on, and what is stored beside it."""

import io
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from selfheal.gates.blend import MemberAnswers


@dataclass(frozen=True, eq=False)
class EvidenceRows:
    """n labelled rows that neither model has seen, oldest first (of a probation: in the order in which labels came).

    row_ids: shape (n,), strings. timestamps: shape (n,), datetime64[us] in UTC. labels: shape (n,), 0 or 1.
    *_probability: shape (n,), float64. *_prediction: shape (n,), 0 or 1, at each model's own operating point.
    weights: shape (n,), positive float64; 1 where labelled rows look like all rows.
    segments: n rows, one column for each feature that a segment of the contract names.
    members: what each version in question says of the rows, where the shadow model is a blend of them.
    """

    row_ids: NDArray[np.object_]
    timestamps: NDArray[np.datetime64]
    labels: NDArray[np.int8]
    production_probability: NDArray[np.float64]
    shadow_probability: NDArray[np.float64]
    production_prediction: NDArray[np.int8]
    shadow_prediction: NDArray[np.int8]
    weights: NDArray[np.float64]
    segments: pd.DataFrame
    members: MemberAnswers | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def is_usable(self) -> bool:
        """Whether there is a row at all, and both models gave each row a probability."""
        scores = np.concatenate([self.production_probability, self.shadow_probability])
        return len(self) > 0 and bool(np.all((scores >= 0) & (scores <= 1)))

    @property
    def of_newcomer(self) -> "tuple[EvidenceRows, ...]":
        """The rows that the newest member of a blend answers, if they aren't all."""
        if self.members is None:
            return ()
        chosen = np.isfinite(self.members.probabilities[:, 0])
        return (self._take(chosen),) if 0 < chosen.sum() < len(self) else ()

    def _take(self, chosen: NDArray[np.bool_]) -> "EvidenceRows":
        return EvidenceRows(**{name: getattr(self, name)[chosen] for name in COLUMNS}, segments=self.segments[chosen])

    @property
    def losses(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weighted Brier losses of production and of the shadow model, each of shape (n,)."""
        truth = self.labels.astype(np.float64)
        production = self.weights * np.square(self.production_probability - truth)
        return production, self.weights * np.square(self.shadow_probability - truth)

    @property
    def gains(self) -> NDArray[np.float64]:
        """Shape (n,): each row's loss of production minus that of the shadow model."""
        production, shadow = self.losses
        return production - shadow


COLUMNS = tuple(field.name for field in fields(EvidenceRows) if field.name not in {"segments", "members"})
SEGMENT_PREFIX, MEMBER_PREFIX = "segment.", "member."
# Of a member's column: its operating point.
THRESHOLD = b"threshold"


def evidence_to_parquet(rows: EvidenceRows) -> bytes:
    """The rows as a Parquet file; the same rows give the same bytes."""
    frame = pd.DataFrame({name: getattr(rows, name) for name in COLUMNS})
    table = pa.Table.from_pandas(
        pd.concat([frame, rows.segments.add_prefix(SEGMENT_PREFIX).reset_index(drop=True)], axis=1),
        preserve_index=False,
    )
    if rows.members is not None:
        table = _with_members(table, rows.members)
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


def evidence_from_parquet(body: bytes) -> EvidenceRows:
    """The rows that `evidence_to_parquet` wrote."""
    table = parquet.read_table(io.BytesIO(body))
    frame = table.to_pandas()
    segments = frame[[name for name in frame if str(name).startswith(SEGMENT_PREFIX)]]
    return EvidenceRows(
        **{name: frame[name].to_numpy() for name in COLUMNS},
        segments=segments.rename(columns=lambda name: str(name).removeprefix(SEGMENT_PREFIX)),
        members=_members(table),
    )


def _with_members(table: pa.Table, members: MemberAnswers) -> pa.Table:
    for version, said, threshold in zip(
        members.versions, members.probabilities.T, members.thresholds.tolist(), strict=True
    ):
        field = pa.field(f"{MEMBER_PREFIX}{version}", pa.float64(), metadata={THRESHOLD: repr(threshold).encode()})
        table = table.append_column(field, pa.array(said))
    return table


def _members(table: pa.Table) -> MemberAnswers | None:
    columns = [field for field in table.schema if field.name.startswith(MEMBER_PREFIX)]
    if not columns:
        return None
    return MemberAnswers(
        versions=tuple(field.name.removeprefix(MEMBER_PREFIX) for field in columns),
        probabilities=np.column_stack([table[field.name].to_numpy() for field in columns]),
        thresholds=np.array([float((field.metadata or {}).get(THRESHOLD, b"nan")) for field in columns]),
    )
