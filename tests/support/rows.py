"""Labelled rows for training tests: small, seeded, with everything that makes preprocessing hard."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from selfheal.contract import Contract, parse_contract
from selfheal.tables.dataset import Dataset, typed_features

MIXED = parse_contract("""
[model]
name = "mixed"
target = "y"
[features.amount]
type = "number"
nullable = true
[features.count]
type = "integer"
[features.plan]
type = "category"
nullable = true
[features.agent]
type = "category"
[features.member]
type = "boolean"
[features.empty]
type = "number"
nullable = true
""")
NEWEST = datetime(2026, 3, 1, tzinfo=UTC)
EVERY = timedelta(minutes=1)


def mixed_rows(rows: int, *, seed: int = 0, agents: int = 400, flipped: bool = False) -> Dataset:
    """Numbers with missing values and a heavy tail, counts, a category with missing values and one with many values.

    The label follows from all of them; `flipped` turns the effect of `amount` around.
    """
    rng = np.random.default_rng(seed)
    amount = np.exp(rng.normal(size=rows) * 2)
    agent = np.minimum(rng.geometric(4 / agents, size=rows), agents)
    count = rng.poisson(2, size=rows).astype(float)
    plan = rng.choice(["basic", "plus", "none"], size=rows)
    score = np.log(amount) * (-1 if flipped else 1) + 0.3 * count + (plan == "plus") - (agent % 3 == 0) - 1
    amount[rng.random(rows) < 0.1] = np.nan
    frame = pd.DataFrame(
        {
            "amount": amount,
            "count": count,
            "plan": pd.Series(plan, dtype=object).where(rng.random(rows) > 0.05, None),
            "agent": pd.Series([f"a{number}" for number in agent], dtype=object),
            "member": (rng.random(rows) < 0.5).astype(float),
            "empty": np.full(rows, np.nan),
        }
    )
    labels = (rng.random(rows) < 1 / (1 + np.exp(-score))).astype(np.int8)
    return dataset_of(frame, labels, MIXED)


def dataset_of(frame: pd.DataFrame, labels: np.ndarray, contract: Contract) -> Dataset:
    """Rows a minute apart, the last one at NEWEST."""
    last = np.datetime64(NEWEST.replace(tzinfo=None), "us")
    return Dataset(
        row_ids=np.array([f"base-{row:09d}" for row in range(len(frame))], dtype=object),
        timestamps=last - np.arange(len(frame))[::-1] * np.timedelta64(EVERY),
        features=typed_features(frame, contract),
        labels=labels.astype(np.int8),
    )
