"""The rows that tuned a version, and what its twin, which had not seen them, said of them: its honest promise."""

import io
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.data.parquet import from_parquet, to_parquet
from selfheal.tables.dataset import Dataset
from selfheal.tables.table import Table

# Names of this kind are reserved by the contract's parser.
PROBABILITY = "__probability"


@dataclass(frozen=True, eq=False)
class TuningRows(Table):
    """n rows and their answers, shape (n,) or (n, classes), by a model that was fitted on older rows only."""

    rows: Dataset
    probabilities: NDArray[np.float64]


def tuning_to_parquet(tuning: TuningRows) -> bytes:
    """The rows as `selfheal.tables` keeps them, with one column more; of several classes one for each."""
    said = tuning.probabilities
    columns = {PROBABILITY: said} if said.ndim == 1 else {f"{PROBABILITY}.{place}": p for place, p in enumerate(said.T)}
    features = tuning.rows.features.assign(**columns)
    return to_parquet(replace(tuning.rows, features=features))


def tuning_from_parquet(payload: bytes, contract: Contract) -> TuningRows:
    """What `tuning_to_parquet` wrote."""
    names = [name for name in pq.read_schema(io.BytesIO(payload)).names if name.startswith(PROBABILITY)]
    said = pd.read_parquet(io.BytesIO(payload), columns=names)[names].to_numpy(dtype=np.float64)
    return TuningRows(from_parquet(payload, contract), said[:, 0] if names == [PROBABILITY] else said)
