"""The rows that both models were scored on: all that a verdict depends on, and what is stored beside it."""

import io
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class EvidenceRows:
    """n labelled rows that neither model has seen, oldest first (of a probation: in the order in which labels came).

    row_ids: shape (n,), strings. timestamps: shape (n,), datetime64[us] in UTC. labels: shape (n,), 0 or 1.
    *_probability: shape (n,), float64. *_prediction: shape (n,), 0 or 1, at each model's own operating point.
    weights: shape (n,), positive float64; 1 where labelled rows look like all rows.
    segments: n rows, one column for each feature that a segment of the contract names.
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

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def is_usable(self) -> bool:
        """Whether there is a row at all, and both models gave each row a probability."""
        scores = np.concatenate([self.production_probability, self.shadow_probability])
        return len(self) > 0 and bool(np.all((scores >= 0) & (scores <= 1)))

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


COLUMNS = tuple(field.name for field in fields(EvidenceRows) if field.name != "segments")
SEGMENT_PREFIX = "segment."


def evidence_to_parquet(rows: EvidenceRows) -> bytes:
    """The rows as a Parquet file; the same rows give the same bytes."""
    frame = pd.DataFrame({name: getattr(rows, name) for name in COLUMNS})
    frame = pd.concat([frame, rows.segments.add_prefix(SEGMENT_PREFIX).reset_index(drop=True)], axis=1)
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def evidence_from_parquet(body: bytes) -> EvidenceRows:
    """The rows that `evidence_to_parquet` wrote."""
    frame = pd.read_parquet(io.BytesIO(body))
    segments = frame[[name for name in frame if str(name).startswith(SEGMENT_PREFIX)]]
    return EvidenceRows(
        **{name: frame[name].to_numpy() for name in COLUMNS},
        segments=segments.rename(columns=lambda name: str(name).removeprefix(SEGMENT_PREFIX)),
    )
