"""Evidence from a user's file: the gates without an environment."""

from datetime import datetime

import numpy as np
import pandas as pd

from selfheal.contract import Contract, Feature
from selfheal.data.files import missing_columns, problem_text
from selfheal.errors import DataInvalid, FileUnreadable
from selfheal.files.features import feature_values
from selfheal.files.table import Tabular, reading, table_of
from selfheal.gates.evidence import EvidenceRows
from selfheal.records.ledger import Circumstances
from selfheal.tasks import task_for
from selfheal.tasks.port import Labels

LABEL = "label"
MODELS = ("production", "shadow")
NEEDED = (LABEL, *(f"{model}_probability" for model in MODELS))


def read_evidence(path: Tabular, contract: Contract, now: datetime) -> tuple[EvidenceRows, Circumstances]:
    """The labelled rows of a file, in its order, and the share of its rows that are labelled.

    Without a column of predictions a model's operating point is the contract's threshold; where that is `max_f1`, it
    is the one with the highest F1 on these rows, for each model its own.

    Raises:
        DataInvalid: names every column that is missing or holds something else than it should.
    """
    if contract.model.task != "binary":
        raise DataInvalid([f"a file of evidence holds probabilities of a binary target, not of {contract.model.task}"])
    frame = _read(path, contract)
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
        task=task_for(contract, labels),
        segments=labelled[[name for name in _segment_features(contract) if name in labelled]],
    )
    coverage = len(labelled) / len(frame) if len(frame) else None
    return rows, Circumstances(judged_at=now, last_move=None, predictions=len(frame), coverage=coverage)


def _read(path: Tabular, contract: Contract) -> pd.DataFrame:
    """The columns that are there, each of its type."""
    features = _columns(contract)
    try:
        with reading(path, contract.file) as source:
            present = [name for name in features if name in source.names()]
            faults = missing_columns(source, [*NEEDED, *present])
            table = table_of(source, contract.file, present)
    except FileUnreadable as error:
        raise DataInvalid([str(error)]) from error
    columns = {}
    for name in present:
        found = feature_values(table.columns[name], features[name], contract.file)
        columns[name] = found.column
        faults.extend(problem_text(table, name, problem) for problem in found.problems)
    if not len(table):
        faults.append(f"{path.name} has no rows below its header")
    if faults:
        raise DataInvalid(faults)
    return pd.DataFrame(columns)


def _columns(contract: Contract) -> dict[str, Feature]:
    """What each column of a file of evidence has to be."""
    yes_or_no = Feature(type="integer", minimum=0, maximum=1)
    segments = {segment.feature: Feature(type="category", nullable=True) for segment in contract.segments}
    for segment in contract.segments:
        if segment.edges:
            segments[segment.feature] = Feature(type="number", nullable=True)
    return {
        **segments,
        LABEL: yes_or_no.model_copy(update={"nullable": True}),
        **{f"{model}_probability": Feature(type="number", minimum=0, maximum=1) for model in MODELS},
        **{f"{model}_prediction": yes_or_no for model in MODELS},
    }


def _predictions(labelled: pd.DataFrame, labels: Labels, model: str, contract: Contract) -> Labels:
    given = labelled.get(f"{model}_prediction")
    if given is not None:
        return given.to_numpy(dtype=np.int8)
    probabilities = labelled[f"{model}_probability"].to_numpy(dtype=np.float64)
    task = task_for(contract, labels)
    return task.predictions(probabilities, task.operating_point(probabilities, labels, contract.model.threshold))


def _segment_features(contract: Contract) -> list[str]:
    return list(dict.fromkeys(segment.feature for segment in contract.segments))
