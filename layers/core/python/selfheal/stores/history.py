"""The prediction log as monitoring and training read it: a window of hours as one table."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.dataset import typed_features
from selfheal.records.predictions import timestamp_of
from selfheal.stores.bucket import Bucket
from selfheal.stores.prediction_log import hour_prefix

HOUR = timedelta(hours=1)
ARRAYS = ("prediction_ids", "timestamps", "model_versions", "probabilities", "predictions")


@dataclass(frozen=True, eq=False)
class PredictionWindow:
    """n logged predictions, oldest first.

    prediction_ids, model_versions: shape (n,), strings. timestamps: shape (n,), datetime64[us] in UTC.
    probabilities: shape (n,), float64. predictions: shape (n,), int8. features: n rows by the contract's features.
    """

    prediction_ids: NDArray[np.object_]
    timestamps: NDArray[np.datetime64]
    model_versions: NDArray[np.object_]
    probabilities: NDArray[np.float64]
    predictions: NDArray[np.int8]
    features: pd.DataFrame

    def __len__(self) -> int:
        return len(self.prediction_ids)

    def take(self, rows: NDArray[np.bool_]) -> Self:
        """The rows that a mask selects."""
        arrays = {name: getattr(self, name)[rows] for name in ARRAYS}
        return type(self)(**arrays, features=self.features[rows].reset_index(drop=True))

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """The rows of several windows, in the order given; there must be one at least."""
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ARRAYS}
        return cls(**arrays, features=pd.concat([part.features for part in parts], ignore_index=True))


class PredictionHistory:
    """Reads what PredictionLog wrote."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def window(self, start: datetime, end: datetime, contract: Contract) -> PredictionWindow:
        """All predictions with start <= timestamp < end, each once, with the contract's features.

        A row logged under an older contract may lack a feature; it is missing then.
        """
        rows = {row["prediction_id"]: row for row in self._rows(start, end)}
        first, last = timestamp_of(start), timestamp_of(end)
        kept = sorted(
            (row for row in rows.values() if first <= row["timestamp"] < last),
            key=lambda row: (row["timestamp"], row["prediction_id"]),
        )
        return _table(kept, contract)

    def _rows(self, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
        for _, body in self._data.get_many(self._keys(start, end)):
            for line in body.splitlines():
                yield orjson.loads(line)

    def _keys(self, start: datetime, end: datetime) -> Iterator[str]:
        hour = start.replace(minute=0, second=0, microsecond=0)
        while hour < end:
            yield from self._data.keys(hour_prefix(hour))
            hour += HOUR


def _table(rows: list[dict[str, Any]], contract: Contract) -> PredictionWindow:
    raw = pd.DataFrame([row["features"] for row in rows], columns=list(contract.feature_names), dtype="object")
    return PredictionWindow(
        prediction_ids=np.array([row["prediction_id"] for row in rows], dtype=object),
        timestamps=np.array([row["timestamp"].removesuffix("Z") for row in rows], dtype="datetime64[us]"),
        model_versions=np.array([row["model_version"] for row in rows], dtype=object),
        probabilities=np.array([row["probability"] for row in rows], dtype=np.float64),
        predictions=np.array([row["prediction"] for row in rows], dtype=np.int8),
        features=typed_features(raw, contract),
    )
