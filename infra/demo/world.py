"""What the demo's service meets: a first training set, then traffic that changes, made up or from a real file."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import brier_score_loss

from infra.backtest.shelf import Shelf
from infra.demo.traffic import Rows
from infra.simulation.credit import Phase, credit_rows
from infra.simulation.injection import exchange_roles, strongest_with_weakest
from selfheal.contract import Contract, default_contract
from selfheal.data.dataset import Dataset
from selfheal.data.files import read_labelled
from selfheal.data.labels import TargetValues
from selfheal.data.moments import as_datetime64
from selfheal.errors import DataInvalid
from selfheal.training import TrainedModel, train
from selfheal.usecases.train import Fit

ROWS_PER_DAY = 4_000
CALM_DAYS = 2
CHANGED_DAYS = 12
BASE_ROWS = 24_000
# A file's own drift is enough where a model that saw it has a Brier score lower by this share.
ENOUGH_OWN_DRIFT = 0.05


@dataclass(frozen=True, eq=False)
class World:
    """What the demo feeds the service with; `changed` goes on where `calm` ends.

    fit: trains the first version, unless looking at the file's drift has done so. notes: what was found on reading it.
    """

    name: str
    contract: Contract
    label_values: TargetValues
    training: Dataset
    calm: Rows
    changed: Rows
    change: str
    fit: Fit = train
    notes: tuple[str, ...] = ()


def made_up_world(start: datetime, seed: int) -> World:
    """The credit stream, whose applicants from some day on default for other reasons."""
    rng = np.random.default_rng(seed)
    base = Rows(*credit_rows(rng, BASE_ROWS))
    return World(
        name="a made-up credit stream",
        contract=default_contract(),
        label_values=TargetValues(positive="1", negative="0"),
        training=_dated(base, start),
        calm=Rows(*credit_rows(rng, CALM_DAYS * ROWS_PER_DAY)),
        changed=Rows(*credit_rows(rng, CHANGED_DAYS * ROWS_PER_DAY, Phase.CHANGED_RISK)),
        change="the same applicants now default for other reasons (inputs as before)",
    )


def world_of_file(path: Path, contract: Contract, start: datetime, seed: int) -> World:
    """A real file in its time order: its first fifth trains (24,000 rows at the most), the rest is the traffic.

    Where the file's own drift is too small to heal, its numeric features exchange roles after the calm days (see
    `infra.simulation.injection.exchange_roles`), seeded.

    Raises:
        DataInvalid: the file doesn't match the contract, or is too short for the demo.
    """
    file = read_labelled(path, contract, end=start)
    rows = file.rows
    base, calm_end = min(len(rows) // 5, BASE_ROWS), CALM_DAYS * ROWS_PER_DAY
    if len(rows) < 2 * (base + calm_end):
        raise DataInvalid([f"{path.name} holds {len(rows)} rows; the demo needs {2 * (base + calm_end)}"])
    traffic = Rows(rows.features.iloc[base:].reset_index(drop=True), rows.labels[base:])
    training = _dated(Rows(rows.features.iloc[:base].reset_index(drop=True), rows.labels[:base]), start)
    calm = traffic.part(0, calm_end)
    changed = traffic.part(calm_end, min(calm_end + CHANGED_DAYS * ROWS_PER_DAY, len(traffic)))
    change = "the file's own drift goes on"
    shelf = Shelf()
    if _gain_of_retraining(training, calm, changed, contract, shelf.fit) < ENOUGH_OWN_DRIFT:
        pairs = strongest_with_weakest(training.features, training.labels, contract)
        injected = exchange_roles(changed.features, training.features, pairs, np.random.default_rng(seed))
        changed = Rows(injected, changed.labels)
        change = "its own drift is too small to heal, so an injected one: " + ", ".join(
            f"{first} and {second} exchange roles" for first, second in pairs
        )
    return World(path.name, contract, file.label_values, training, calm, changed, change, shelf.fit, file.notes)


def _gain_of_retraining(training: Dataset, calm: Rows, changed: Rows, contract: Contract, fit: Fit) -> float:
    """By which share of its Brier score a model of the calm days and half of the change beats the first on the rest."""
    half = len(changed) // 2
    seen = Rows(
        pd.concat([calm.features, changed.features.iloc[:half]], ignore_index=True),
        np.concatenate([calm.labels, changed.labels[:half]]),
    )
    rest = changed.part(half, len(changed))
    start = training.timestamps[-1].astype(datetime)
    frozen, retrained = (_brier(fit(rows, contract), rest) for rows in (training, _dated(seen, start)))
    return 1.0 - retrained / frozen


def _brier(model: TrainedModel, rows: Rows) -> float:
    return float(brier_score_loss(rows.labels, model.fitted.probabilities(rows.features)))


def _dated(rows: Rows, end: datetime) -> Dataset:
    """Rows as a training set that ends just before a moment, a minute apart."""
    last = as_datetime64(end)
    ages = np.arange(len(rows), 0, -1) * np.timedelta64(60_000_000, "us")
    return Dataset(
        row_ids=np.array([f"base-{row}" for row in range(len(rows))], dtype=object),
        timestamps=last - ages,
        features=rows.features.reset_index(drop=True),
        labels=rows.labels,
    )
