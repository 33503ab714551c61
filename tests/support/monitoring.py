"""A credit world over buckets in memory: one model that was really trained, traffic and labels by the hour, runs."""

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd

from selfheal.contract import default_contract
from selfheal.data.labels import TargetValues
from selfheal.models.native import load_artefact
from selfheal.records.labels import Label
from selfheal.records.manifest import Lineage
from selfheal.records.monitoring import DriftSummary, MonitoringResult
from selfheal.records.predictions import Prediction, new_request_id, prediction_id, timestamp_of
from selfheal.stores.collection import Stores
from selfheal.stores.large_hours import LargeHours
from selfheal.stores.memory import MemoryBucket
from selfheal.tables.dataset import Dataset
from selfheal.usecases.heal.conclude import promote_first
from selfheal.usecases.monitor.monitor import monitor
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from selfheal.usecases.registry.train import train_version
from selfheal_tools.simulation.credit import Phase, credit_rows
from tests.support.healing import FakeExecutions, FakeNotifications

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
VERSION = "v1"


@cache
def calm_fortnight() -> "CreditWorld":
    """Ten rows an hour for two weeks, rolled up, labels ten days late; live on in a clone of it."""
    world = CreditWorld()
    world.hours(14 * 24, rows=10, label_delay=240)
    roll_up_closed_hours(world.stores, world.now)
    return world


@cache
def trained_registry(rows: int = 6000) -> MemoryBucket:
    """A registry with one version in production, trained on calm rows; treat it as read only."""
    stores = Stores(MemoryBucket(), MemoryBucket())
    features, labels = credit_rows(np.random.default_rng(1), rows)
    moments = np.datetime64(START.replace(tzinfo=None), "us") - np.arange(rows)[::-1] * np.timedelta64(60, "s")
    ids = np.array([f"base-{row:09d}" for row in range(rows)], dtype=object)
    manifest = train_version(
        stores.models,
        Dataset(ids, moments, features, labels),
        default_contract(),
        version=VERSION,
        now=START,
        lineage=Lineage(parent_version=None, execution=None, trigger="bootstrap"),
        evaluation_from=None,
        label_values=TargetValues("1", "0"),
    )
    promote_first(stores, manifest, now=START, actor="test")
    return stores.registry_bucket


def copy_of(bucket: MemoryBucket, copied: MemoryBucket | None = None) -> MemoryBucket:
    copied = copied or MemoryBucket()
    for key, body in bucket.get_many(bucket.keys("")):
        copied.create(key, body)
    return copied


@dataclass
class CreditWorld:
    """Traffic hour by hour; `rng` decides everything that is random."""

    stores: Stores = field(default_factory=lambda: Stores(MemoryBucket(), copy_of(trained_registry())))
    executions: FakeExecutions = field(default_factory=FakeExecutions)
    notifications: FakeNotifications = field(default_factory=FakeNotifications)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))
    now: datetime = START

    def __post_init__(self) -> None:
        manifest = self.stores.models.manifest(VERSION)
        self._artefact = load_artefact(self.stores.models.artefact(manifest, "model.json"))
        self._unlabelled: list[tuple[datetime, str, int]] = []

    def clone(self) -> "CreditWorld":
        """Another world with the same past."""
        stores = Stores(copy_of(self.stores.data), copy_of(self.stores.registry_bucket))
        other = CreditWorld(stores, rng=copy.deepcopy(self.rng), now=self.now)
        other._unlabelled = list(self._unlabelled)
        return other

    def hours(self, count: int, *, phase: Phase = Phase.CALM, rows: int = 40, label_delay: float | None = 12) -> None:
        """Let hours pass; labels arrive `label_delay` hours after their prediction, None: never."""
        for _ in range(count):
            features, labels = credit_rows(self.rng, rows, phase)
            self.log(features, labels if label_delay is not None else None)
            self.now += HOUR
            if label_delay is not None:
                self.deliver(timedelta(hours=label_delay))

    def log(self, features: pd.DataFrame, labels: np.ndarray | None = None) -> None:
        """One request with all rows, half an hour from now."""
        moment = self.now + HOUR / 2
        request = new_request_id(moment)
        probabilities = self._artefact.probabilities_of({name: features[name].to_numpy() for name in features})
        logged = [
            Prediction(
                prediction_id=prediction_id(request, row),
                timestamp=timestamp_of(moment),
                model_version=VERSION,
                probability=float(probability),
                prediction=int(probability >= self._artefact.threshold),
                features={name: None if pd.isna(value) else value for name, value in values.items()},
            )
            for row, (probability, values) in enumerate(zip(probabilities, features.to_dict("records"), strict=True))
        ]
        self.stores.prediction_log.append(request, logged)
        if labels is not None:
            self._unlabelled += [
                (moment, p["prediction_id"], int(label)) for p, label in zip(logged, labels, strict=True)
            ]

    def deliver(self, delay: timedelta) -> None:
        due = [row for row in self._unlabelled if row[0] + delay <= self.now]
        self._unlabelled = [row for row in self._unlabelled if row[0] + delay > self.now]
        labels = [
            Label(prediction_id=key, label=label, label_timestamp=moment + delay, received_at=self.now)
            for moment, key, label in due
        ]
        if labels:
            self.stores.labels.accept(labels)

    def run(self, schedule_minutes: int = 60, large_hours: LargeHours | None = None) -> MonitoringResult:
        return monitor(
            self.stores,
            self.executions,
            self.notifications,
            now=self.now,
            schedule_minutes=schedule_minutes,
            large_hours=large_hours,
        )

    def summary(self, result: MonitoringResult) -> DriftSummary:
        return DriftSummary.model_validate_json(self.stores.monitoring.read(result.summary))
