"""What the demo's service meets: a first training set, then traffic that changes, made up or from a real file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract, default_contract
from selfheal.data.files import read_labelled
from selfheal.data.labels import TargetValues
from selfheal.data.moments import as_datetime64
from selfheal.gates.resampling import paired_p_value
from selfheal.models.trainer import TrainedModel, Trainer
from selfheal.tables.dataset import Dataset
from selfheal.tasks import Task, task_for
from selfheal.training import train
from selfheal_tools.backtest.model_cache import ModelCache
from selfheal_tools.demo.plan import CHANGED_DAYS, Plan
from selfheal_tools.demo.traffic import Rows
from selfheal_tools.simulation.credit import Phase, credit_rows
from selfheal_tools.simulation.injection import exchange_roles, reverse_roles, strongest_with_weakest

# What is made up is as long as the longest story of a file.
MADE_UP = Plan(training=24_000, a_day=4_000)
# Drift is enough where a model that saw it has a Brier score lower by this share, and hardly by
# chance: the file's own is to be beyond doubt.
ENOUGH_GAIN, OWN_BY_CHANCE, BY_CHANCE = 0.05, 0.01, 0.05
INJECTED = "its own drift is too small to heal, so an injected one: "


@dataclass(frozen=True, eq=False)
class World:
    """What the demo feeds the service with; `changed` goes on where `calm` ends.

    told: what is to know of the file, and what the demo takes of it. fit: trains the first version, unless looking at
    the drift has done so.
    """

    name: str
    plan: Plan
    told: list[str]
    contract: Contract
    label_values: TargetValues
    training: Dataset
    calm: Rows
    changed: Rows
    change: str
    fit: Trainer = train


def made_up_world(start: datetime, seed: int) -> World:
    """The credit stream, whose applicants from some day on default for other reasons."""
    rng, plan = np.random.default_rng(seed), MADE_UP
    base = Rows(*credit_rows(rng, plan.training))
    return World(
        name="a made-up credit stream",
        plan=plan,
        told=[],
        contract=default_contract(),
        label_values=TargetValues(positive="1", negative="0"),
        training=_dated(base, start),
        calm=Rows(*credit_rows(rng, plan.calm)),
        changed=Rows(*credit_rows(rng, CHANGED_DAYS * plan.a_day, Phase.CHANGED_RISK)),
        change="the same applicants now default for other reasons (inputs as before)",
    )


@dataclass(frozen=True, eq=False)
class History:
    """A file's rows in time order, and what the demo takes of them."""

    path: Path
    contract: Contract
    rows: Dataset
    plan: Plan
    label_values: TargetValues
    notes: tuple[str, ...]


def read_history(path: Path, contract: Contract, now: datetime) -> History:
    """Read a file. Raises DataInvalid where it doesn't match the contract, or is too short for the demo."""
    file = read_labelled(path, contract, end=now, now=now)
    if file.label_values.classes:
        contract = contract.with_classes(file.label_values.classes)
    plan = Plan.of(path.name, file.rows.labels, task_for(contract, file.rows.labels))
    return History(path, contract, file.rows, plan, file.label_values, file.notes)


def world_of_history(history: History, start: datetime, seed: int) -> World:
    """A file's oldest quarter trains (24,000 rows at the most), the rest is the traffic.

    Where its own drift is too small to heal, one is injected (see `selfheal_tools.simulation.injection`), seeded.
    """
    rows, plan, asked = history.rows, history.plan, history.contract
    contract = asked.with_policy(plan.policy(asked.policy))
    traffic = Rows(rows.features.iloc[plan.training :].reset_index(drop=True), rows.labels[plan.training :])
    oldest = Rows(rows.features.iloc[: plan.training].reset_index(drop=True), rows.labels[: plan.training])
    training, calm = _dated(oldest, start), traffic.part(0, plan.calm)
    own, cache = traffic.part(plan.calm, min(plan.calm + CHANGED_DAYS * plan.a_day, len(traffic))), ModelCache()
    happening = _drifts(own, training, contract, seed)
    found = (drift for drift in happening if _can_be_healed(training, calm, drift, contract, cache.fit))
    drift = next(found, None) or _opposite(own, training, contract)
    return World(
        name=history.path.name,
        plan=plan,
        told=[*history.notes, *plan.sentences(len(rows), asked)],
        contract=contract,
        label_values=history.label_values,
        training=training,
        calm=calm,
        changed=drift.rows,
        change=drift.said,
        fit=cache.fit,
    )


@dataclass(frozen=True, eq=False)
class Drift:
    """What happens to the rows of the changed days; by_chance: the p-value from which a gain on it is too doubtful."""

    said: str
    rows: Rows
    by_chance: float


def _drifts(own: Rows, training: Dataset, contract: Contract, seed: int) -> Iterator[Drift]:
    """What may happen to the rows, the mildest first, but for the one that is always left."""
    yield Drift("the file's own drift goes on", own, OWN_BY_CHANCE)
    if pairs := strongest_with_weakest(training.features, _in_two(training.labels, contract), contract):
        exchanged = exchange_roles(own.features, training.features, pairs, np.random.default_rng(seed))
        said = ", ".join(f"{first} and {second} exchange roles" for first, second in pairs)
        yield Drift(f"{INJECTED}{said}", Rows(exchanged, own.labels), BY_CHANCE)


def _opposite(own: Rows, training: Dataset, contract: Contract) -> Drift:
    turned = reverse_roles(own.features, training.features, _in_two(training.labels, contract), contract)
    return Drift(f"{INJECTED}every feature now says the opposite", Rows(turned, own.labels), BY_CHANCE)


def _can_be_healed(training: Dataset, calm: Rows, drift: Drift, contract: Contract, fit: Trainer) -> bool:
    """Whether a model of the calm days and half of the change beats the first one on the rest, and hardly by chance."""
    changed, half = drift.rows, len(drift.rows) // 2
    start = training.timestamps[-1].astype(datetime)
    seen = Rows(
        pd.concat([training.features, calm.features, changed.features.iloc[:half]], ignore_index=True),
        np.concatenate([training.labels, calm.labels, changed.labels[:half]]),
    )
    rest = changed.part(half, len(changed))
    task = task_for(contract, training.labels)
    frozen, retrained = (_losses(fit(rows, contract), rest, task) for rows in (training, _dated(seen, start)))
    gains = frozen - retrained
    return bool(gains.mean() >= ENOUGH_GAIN * frozen.mean()) and paired_p_value(gains) <= drift.by_chance


def _in_two(labels: NDArray[Any], contract: Contract) -> NDArray[np.int8]:
    """Labels as 0 and 1, for what is injected: numbers by their median, classes by whether they are the commonest."""
    if contract.model.task == "binary":
        return labels
    edge = np.median(labels) if contract.model.task == "regression" else np.bincount(labels).argmax()
    return np.asarray(labels > edge if contract.model.task == "regression" else labels == edge, dtype=np.int8)


def _losses(model: TrainedModel, rows: Rows, task: Task) -> NDArray[np.float64]:
    return task.losses(model.fitted.probabilities(rows.features), rows.labels)


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
