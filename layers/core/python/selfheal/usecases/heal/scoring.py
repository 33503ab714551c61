"""Versions' answers on labelled rows."""

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from selfheal.contract import Contract
from selfheal.errors import ArtefactRefused, ObjectMissing, RecordIncompatible, ReferenceTampered, VersionUnknown
from selfheal.gates import EvidenceRows
from selfheal.gates.blend import Blended, MemberAnswers
from selfheal.models.ports import Model
from selfheal.tables.dataset import Dataset
from selfheal.tables.table import columns_of
from selfheal.tasks import BINARY, Task

# What is wrong with a version for good; a store that doesn't answer is another matter.
UNREADABLE = (ArtefactRefused, ObjectMissing, RecordIncompatible, ReferenceTampered, ValidationError, VersionUnknown)


def answers_of(model: Model, rows: Dataset, task: Task = BINARY) -> Blended:
    """A model's answers to rows of its contract, in the order given."""
    probabilities = model.probabilities_of(columns_of(rows.features))
    return Blended(probabilities, task.predictions(probabilities, model.threshold))


def evidence_rows(
    labelled: Dataset,
    contract: Contract,
    production: Blended,
    shadow: Blended,
    *,
    weights: NDArray[np.float64] | None = None,
    members: MemberAnswers | None = None,
    task: Task = BINARY,
) -> EvidenceRows:
    """Two answers to the same labelled rows, in the order given; `weights` None: each row counts alike."""
    segments = list(dict.fromkeys(segment.feature for segment in contract.segments))
    return EvidenceRows(
        row_ids=labelled.row_ids,
        timestamps=labelled.timestamps,
        labels=labelled.labels,
        production_probability=production.probabilities,
        shadow_probability=shadow.probabilities,
        production_prediction=production.predictions,
        shadow_prediction=shadow.predictions,
        weights=np.ones(len(labelled)) if weights is None else weights,
        segments=labelled.features[segments],
        members=members,
        task=task,
    )
