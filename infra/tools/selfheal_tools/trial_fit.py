"""A fit on a sample of a user's rows, exported and proven: whether a contract and its trainer can be served."""

import time
from dataclasses import dataclass
from typing import Any

from selfheal.contract import Contract
from selfheal.models.formats import WRITTEN
from selfheal.models.trainers import BUILT_IN
from selfheal.tables.dataset import Dataset

# Enough to meet most of what a whole file holds, and quick to fit.
SAMPLE = 5000
ASKED = 50


@dataclass(frozen=True, slots=True)
class TrialFit:
    """What came of it: rows fitted, metrics of the `tuning` newest of them, the file's size, and the time of a row."""

    rows: int
    metrics: dict[str, float]
    tuning: int
    size: int
    milliseconds: float


def trial_fit(rows: Dataset, contract: Contract) -> TrialFit:
    """Fit on the newest rows and write the model down.

    Raises:
        TrainingImpossible, TrainerFailed: nothing can be fitted.
        ExportInexact: what was fitted can't be served; the message says which part, and what to use instead.
    """
    newest = rows.in_time_order().take(slice(max(0, len(rows) - SAMPLE), None))
    trained = BUILT_IN(newest, contract)
    payload = WRITTEN.exported(trained.fitted, newest.features, contract)
    model = WRITTEN.loaded(payload)
    asked = newest.features.tail(ASKED).astype(object).where(newest.features.tail(ASKED).notna(), None)
    records: list[dict[Any, Any]] = asked.to_dict("records")
    model.probabilities(records[:1])
    began = time.perf_counter()
    for record in records:
        model.probabilities([record])
    milliseconds = 1000 * (time.perf_counter() - began) / len(records)
    return TrialFit(len(newest), trained.metrics, len(trained.tuning_probabilities), len(payload), milliseconds)
