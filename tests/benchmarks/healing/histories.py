"""What is replayed: real histories where they are at hand, and a made-up one everywhere."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from infra.simulation.credit import Phase, credit_rows
from selfheal.contract import Contract, default_contract, parse_contract
from selfheal.data.dataset import Dataset
from selfheal.data.files import load_dataset

FOLDER = Path(__file__).parents[4] / "shared" / "data"
DRIFTING = ("hotel_bookings", "elec2", "lendingclub_2007_2011")
STEADY = "gmsc"
REAL = (*DRIFTING, STEADY)
GENERATOR = "generator"
# The last row of a file without times.
END = datetime(2026, 1, 1, tzinfo=UTC)
GENERATED = ((Phase.CALM, 10_000), (Phase.STRESS, 4_000), (Phase.CHANGED_RISK, 8_000), (Phase.CALM, 4_000))


def at_hand() -> tuple[str, ...]:
    """The names of all histories that this machine holds."""
    return (*(name for name in REAL if (FOLDER / name).is_dir()), GENERATOR)


def history(name: str) -> tuple[Dataset, Contract]:
    """A history's rows in time order, and its contract."""
    if name == GENERATOR:
        return _generated(), default_contract()
    described = FOLDER / name / "contract.toml"
    contract = parse_contract(described.read_text(encoding="utf-8")) if described.exists() else default_contract()
    (file,) = (FOLDER / name).glob("*.csv.gz")
    return load_dataset(file, contract, end=END), contract


def _generated() -> Dataset:
    """A world that is calm, falls on hard times, changes its ways, and is as it was again."""
    rng = np.random.default_rng(11)
    parts = [credit_rows(rng, rows, phase) for phase, rows in GENERATED]
    labels = np.concatenate([labels for _, labels in parts])
    ids = np.array([f"base-{row:09d}" for row in range(len(labels))], dtype=object)
    # A row a minute: eighteen days, in which a day's window and a week's probation mean something.
    moments = np.datetime64(END.replace(tzinfo=None), "us") - np.arange(len(labels))[::-1] * np.timedelta64(1, "m")
    return Dataset(ids, moments, pd.concat([features for features, _ in parts], ignore_index=True), labels)
