"""A really trained credit model: its tuning rows as the registry keeps them, and how it answers."""

from functools import cache

import numpy as np
import pandas as pd

from selfheal.drift import Reference
from selfheal.models.trainer import TrainedModel
from selfheal.tables.dataset import Dataset
from selfheal.training import train
from selfheal_tools.simulation.credit import credit_rows
from tests.benchmarks.drift.worlds import CREDIT

ROWS = 8000


@cache
def trained() -> tuple[TrainedModel, Dataset, Reference]:
    """The model, its tuning rows and its reference."""
    features, labels = credit_rows(np.random.default_rng(5), ROWS)
    moments = np.arange(ROWS).astype("datetime64[s]").astype("datetime64[us]")
    rows = Dataset(np.array([f"r{i}" for i in range(ROWS)], dtype=object), moments, features, labels)
    model = train(rows, CREDIT)
    tuning = rows.take(slice(ROWS - len(model.tuning_probabilities), None))
    return model, tuning, Reference(features, CREDIT)


def answers(features: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and predictions."""
    model, _, _ = trained()
    probabilities = model.fitted.probabilities(features)
    return probabilities, (probabilities >= model.fitted.threshold).astype(np.int8)
