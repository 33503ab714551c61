"""A function that trains as shadow training does, by a trainer that never returns."""

from typing import Any

import numpy as np

from selfheal.contract import default_contract
from selfheal.tables.dataset import Dataset
from selfheal.training import train
from selfheal_tools.simulation.credit import credit_rows


def handler(event: dict[str, Any], context: object) -> None:
    features, labels = credit_rows(np.random.default_rng(5), 900)
    ids = np.array([f"row-{row}" for row in range(900)], dtype=object)
    rows = Dataset(ids, np.datetime64("2026-01-01", "us") + np.arange(900), features, labels)
    contract = default_contract()
    named = contract.model.model_copy(update={"trainer": "tests.support.trainers:hanging"})
    train(rows, contract.model_copy(update={"model": named}))
