"""Export with proof: bytes are handed out only if they answer as the fitted model does."""

from typing import Any

import numpy as np
import orjson
import pandas as pd

from selfheal.contract import Contract
from selfheal.errors import ExportInexact
from selfheal.models.fitted import FittedModel
from selfheal.models.native import NativeModel, load_artefact
from selfheal.models.native.export.background import with_background
from selfheal.models.native.export.document import document
from selfheal.models.native.export.probes import probe_rows
from selfheal.tables.table import columns_of

TOLERANCE = 1e-12
# Rows that are also evaluated one by one, as the predictor does for a single row.
SINGLE_ROWS = 300


def export(model: FittedModel, features: pd.DataFrame, contract: Contract, *, seed: int = 0) -> bytes:
    """The bytes of `model.json`; `features` are rows like those that it was trained on.

    Raises:
        ExportInexact: an answer differs from scikit-learn's by more than 1e-12 (of a number: relative to the largest)
            on a probe row, or one row and many rows don't have the same bits.
    """
    exported = with_background(document(model, contract), features)
    payload = orjson.dumps(exported)
    probes = probe_rows(exported, features, contract, seed)
    _check(load_artefact(payload), model, probes)
    return payload


def _check(artefact: NativeModel, model: FittedModel, probes: pd.DataFrame) -> None:
    many = artefact.probabilities_of(columns_of(probes))
    expected = model.probabilities(probes)
    difference = np.abs(many - expected) / (max(1.0, float(np.abs(expected).max())) if model.link == "identity" else 1)
    # Said so that NaN on either side counts as a difference.
    if not (difference <= TOLERANCE).all():
        worst = float(np.nan_to_num(difference, nan=np.inf).max())
        raise ExportInexact(f"the exported model differs from the fitted one by {worst:.3g}; no version is written")
    rows = np.linspace(0, len(probes) - 1, min(len(probes), SINGLE_ROWS)).astype(int)
    records: list[dict[Any, Any]] = probes.iloc[rows].to_dict("records")
    single = [artefact.probabilities([row])[0] for row in records]
    if single != many[rows].tolist():
        raise ExportInexact("the exported model answers one row and many rows differently; no version is written")
