"""Evidence from a user's CSV file: the gates without an environment."""

import io
from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.errors import DataInvalid
from selfheal.gates.evidence import EvidenceRows
from selfheal.records.ledger import Circumstances

LABEL = "label"
MODELS = ("production", "shadow")


def read_evidence_csv(body: bytes, contract: Contract, now: datetime) -> tuple[EvidenceRows, Circumstances]:
    """The labelled rows of a file, in its order, and the share of its rows that are labelled.

    Without a column of predictions a model's operating point is the contract's threshold; where that is `max_f1`, it
    is the one with the highest F1 on these rows, for each model its own.

    Raises:
        DataInvalid: names every column that is missing or holds something else than it should.
    """
    frame = _parsed(body)
    if faults := list(_faults(frame, contract)):
        raise DataInvalid(faults)
    labelled = frame[frame[LABEL].notna()].reset_index(drop=True)
    labels = labelled[LABEL].to_numpy(dtype=np.int8)
    probabilities = {model: labelled[f"{model}_probability"].to_numpy(dtype=np.float64) for model in MODELS}
    predictions = {model: _predictions(labelled, labels, model, contract) for model in MODELS}
    rows = EvidenceRows(
        row_ids=np.array([f"row-{position}" for position in range(len(labelled))], dtype=object),
        timestamps=np.zeros(len(labelled), dtype="datetime64[us]"),
        labels=labels,
        production_probability=probabilities["production"],
        shadow_probability=probabilities["shadow"],
        production_prediction=predictions["production"],
        shadow_prediction=predictions["shadow"],
        weights=np.ones(len(labelled)),
        segments=labelled[[name for name in _segment_features(contract) if name in labelled]],
    )
    coverage = len(labelled) / len(frame) if len(frame) else None
    return rows, Circumstances(judged_at=now, last_move=None, predictions=len(frame), coverage=coverage)


def best_threshold(labels: NDArray[np.int8], probabilities: NDArray[np.float64]) -> float:
    """The lowest probability from which on predicting positive has the highest F1; 0.5 without a positive."""
    if not labels.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    predicted = np.arange(1, len(labels) + 1)
    f1 = 2 * np.cumsum(labels[order] == 1) / (predicted + labels.sum())
    # Rows of one probability fall on the same side.
    is_last = np.append(np.diff(probabilities[order]) != 0, np.True_)
    return float(probabilities[order][np.argmax(np.where(is_last, f1, -1.0))])


def _parsed(body: bytes) -> pd.DataFrame:
    try:
        return pd.read_csv(io.BytesIO(body))
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataInvalid([f"the file is no CSV: {error}"]) from error


def _faults(frame: pd.DataFrame, contract: Contract) -> Iterator[str]:
    if not len(frame):
        yield "the file has no rows below its header"
        return
    for name in (LABEL, *(f"{model}_probability" for model in MODELS)):
        fault = "the column is missing" if name not in frame else _fault_of(frame[name])
        if fault is not None:
            yield f"{name}: {fault}"
    for name in (f"{model}_prediction" for model in MODELS):
        if name in frame and not frame[name].isin([0, 1]).all():
            yield f"{name}: values must be 0 or 1"
    for segment in contract.segments:
        column = frame.get(segment.feature)
        if column is not None and segment.edges and not pd.api.types.is_numeric_dtype(column):
            yield f"{segment.feature}: values must be numbers"


def _fault_of(column: pd.Series) -> str | None:
    if column.name == LABEL:
        return None if column.dropna().isin([0, 1]).all() else "values must be 0, 1 or empty"
    if column.isna().any():
        return f"{int(column.isna().sum())} values are missing"
    is_probability = pd.api.types.is_numeric_dtype(column) and bool(column.between(0, 1).all())
    return None if is_probability else "values must be numbers from 0 to 1"


def _predictions(labelled: pd.DataFrame, labels: NDArray[np.int8], model: str, contract: Contract) -> NDArray[np.int8]:
    given = labelled.get(f"{model}_prediction")
    if given is not None:
        return given.to_numpy(dtype=np.int8)
    probabilities = labelled[f"{model}_probability"].to_numpy(dtype=np.float64)
    fixed = contract.model.threshold
    threshold = best_threshold(labels, probabilities) if fixed == "max_f1" else fixed
    return (probabilities >= threshold).astype(np.int8)


def _segment_features(contract: Contract) -> list[str]:
    return list(dict.fromkeys(segment.feature for segment in contract.segments))
