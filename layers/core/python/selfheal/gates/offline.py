"""Evidence from a user's file: the gates without an environment."""

from collections.abc import Mapping
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
from selfheal.tasks import Task, task_for
from selfheal.tasks.columns import answers_from, columns_of, labels_from, with_classes_of
from selfheal.tasks.port import Floats, Labels

LABEL = "label"
MODELS = ("production", "shadow")
# A fault names so many rows.
MOST_ROWS = 5


def read_evidence(path: Tabular, contract: Contract, now: datetime) -> tuple[EvidenceRows, Circumstances]:
    """The labelled rows of a file, in its order, and the share of its rows that are labelled.

    The columns of a model begin with `production_` and `shadow_`: of two values `probability`, of several classes
    `probability.<class>` for each of them, of numbers `prediction`. Without a column of predictions a binary model's
    operating point is the contract's threshold; where that is `max_f1`, it is the one with the highest F1 on these
    rows, for each model its own. The loss of numbers is relative to the spread of these labels.

    Raises:
        DataInvalid: names every column that is missing or holds something else than it should.
    """
    frame, agreed = _read(path, contract)
    labelled = frame[frame[LABEL].notna()].reset_index(drop=True)
    labels = labels_from(labelled[LABEL], agreed)
    task = task_for(agreed, labels)
    production, shadow = (answers_from(labelled, model, agreed) for model in MODELS)
    _check_answers({"production": production, "shadow": shadow}, task)
    rows = EvidenceRows(
        row_ids=np.array([f"row-{position}" for position in range(len(labelled))], dtype=object),
        timestamps=np.zeros(len(labelled), dtype="datetime64[us]"),
        labels=labels,
        production_probability=production,
        shadow_probability=shadow,
        production_prediction=_predictions(labelled, production, labels, "production", agreed),
        shadow_prediction=_predictions(labelled, shadow, labels, "shadow", agreed),
        weights=np.ones(len(labelled)),
        task=task,
        segments=labelled[[name for name in _segment_features(agreed) if name in labelled]],
    )
    coverage = len(labelled) / len(frame) if len(frame) else None
    return rows, Circumstances(judged_at=now, last_move=None, predictions=len(frame), coverage=coverage)


def _read(path: Tabular, contract: Contract) -> tuple[pd.DataFrame, Contract]:
    """The columns that are there, each of its type; and the contract with the classes that they are about."""
    try:
        with reading(path, contract.file) as source:
            agreed = with_classes_of(contract, source.names(), MODELS[0])
            # A class that the contract doesn't list is at fault only where it lists some.
            features = _columns(agreed) | {LABEL: columns_of(contract).label}
            present = [name for name in features if name in source.names()]
            faults = missing_columns(source, [*_needed(agreed), *present])
            table = table_of(source, agreed.file, present)
    except FileUnreadable as error:
        raise DataInvalid([str(error)]) from error
    columns = {}
    for name in present:
        found = feature_values(table.columns[name], features[name], agreed.file)
        columns[name] = found.column
        faults.extend(problem_text(table, name, problem) for problem in found.problems)
    if not len(table):
        faults.append(f"{path.name} has no rows below its header")
    if faults:
        raise DataInvalid(faults)
    return pd.DataFrame(columns), agreed


def _needed(contract: Contract) -> list[str]:
    answers = columns_of(contract).answers or {"probability.<class>": Feature(type="number")}
    return [LABEL, *(f"{model}_{name}" for model in MODELS for name in answers)]


def _columns(contract: Contract) -> dict[str, Feature]:
    """What each column of a file of evidence has to be."""
    segments = {segment.feature: Feature(type="category", nullable=True) for segment in contract.segments}
    for segment in contract.segments:
        if segment.edges:
            segments[segment.feature] = Feature(type="number", nullable=True)
    _, answers, predictions = columns_of(contract)
    of_models = {
        f"{model}_{name}": kind for part in (answers, predictions) for model in MODELS for name, kind in part.items()
    }
    return segments | of_models


def _check_answers(answers: Mapping[str, Floats], task: Task) -> None:
    """Raises DataInvalid for rows whose answers, each column of its type, are none of that kind of target."""
    faults = []
    for model, said in answers.items():
        if task.are_answers(said):
            continue
        wrong = [row + 1 for row in range(len(said)) if not task.are_answers(said[row : row + 1])]
        first = ", ".join(map(str, wrong[:MOST_ROWS]))
        faults.append(f"{model}: the probabilities of {len(wrong)} labelled row(s) don't add up to 1; such as {first}")
    if faults:
        raise DataInvalid(faults)


def _predictions(labelled: pd.DataFrame, answers: Floats, labels: Labels, model: str, contract: Contract) -> Labels:
    names = [f"{model}_{name}" for name in columns_of(contract).predictions]
    if names and names[0] in labelled:
        return labelled[names[0]].to_numpy(dtype=np.int8)
    task = task_for(contract, labels)
    return task.predictions(answers, task.operating_point(answers, labels, contract.model.threshold))


def _segment_features(contract: Contract) -> list[str]:
    return list(dict.fromkeys(segment.feature for segment in contract.segments))
