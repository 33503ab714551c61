"""Labelled rows in memory: the one shape in which training, evaluation and monitoring exchange tables."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.tables.table import Table


@dataclass(frozen=True, eq=False)
class Dataset(Table):
    """n labelled rows.

    row_ids: shape (n,), strings, unique: a prediction_id, or `base-<row>` for a row of a user's file.
    timestamps: shape (n,), datetime64[us] in UTC: when the prediction was asked for.
    features: n rows by the contract's features in its order; float64 (missing is NaN) or object (str, missing is None).
    labels: shape (n,): int8, 1 is the contract's positive label, or a class's position; float64 of a regression.
    """

    row_ids: NDArray[np.object_]
    timestamps: NDArray[np.datetime64]
    features: pd.DataFrame
    labels: NDArray[Any]

    def in_time_order(self) -> Self:
        """Oldest first; rows of one moment keep their order by row id, so that the result depends on the rows alone."""
        return self.take(np.lexsort((self.row_ids.astype(str), self.timestamps)))


def typed_features(frame: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    """The contract's columns of a frame, in its order and in the two dtypes that a Dataset holds.

    Values that the frame holds must already be valid (see `selfheal.data.files` for files, the predictor for requests).
    """
    columns = {
        name: _strings(frame[name]) if feature.is_category else frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        for name, feature in contract.features.items()
    }
    return pd.DataFrame(columns, index=frame.index)


def _strings(column: pd.Series) -> pd.Series:
    # A hundred tables of few rows come before one of many: pandas' own steps take ten times as long for each.
    values = np.array(column, dtype=object)
    values[pd.isna(values)] = None
    return pd.Series(values, index=column.index, dtype=object)
