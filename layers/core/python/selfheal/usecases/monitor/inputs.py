"""What a monitoring run reads: the production version as it was frozen, the window, and the newest labelled rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.data.moments import as_datetime64
from selfheal.data.parquet import from_parquet
from selfheal.drift import Reference
from selfheal.models.formats import model_of
from selfheal.models.ports import Model
from selfheal.prefixes import KEPT
from selfheal.records.manifest import Manifest
from selfheal.records.monitoring import FaultPeriod
from selfheal.records.pointer import Pointer
from selfheal.stores.collection import Stores
from selfheal.stores.registry import REFERENCE, TUNING
from selfheal.tables.dataset import Dataset
from selfheal.tables.predictions import PredictionWindow, RecentPredictions
from selfheal.tables.table import columns_of
from selfheal.tables.tuning import TuningRows, tuning_from_parquet
from selfheal.tasks import BINARY, Scored, Task
from selfheal.tasks.port import LossModel
from selfheal.usecases.labels.labelled_days import labelled_days
from selfheal.usecases.labels.labelled_rows import is_sound

# Labelled rows that answer every question of a run.
LABELS_WANTED = 2000


@dataclass(frozen=True, eq=False)
class Production:
    """The production version as monitoring needs it."""

    pointer: Pointer
    manifest: Manifest
    model: Model
    reference: Reference
    reference_rows: Dataset
    tuning: TuningRows

    @property
    def contract(self) -> Contract:
        """What the version was trained under."""
        return self.manifest.contract

    @property
    def task(self) -> Task:
        """What kind of target the version predicts."""
        return BINARY

    def expected_losses(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """The loss that each row's own answer lets expect, as the tuning rows teach, shape (n,)."""
        said = self.model.probabilities_of(columns_of(features))
        return self._loss_model(said, self.reference.traits(features))

    @cached_property
    def _loss_model(self) -> LossModel:
        rows, traits = self.tuning.rows, self.reference.traits(self.tuning.rows.features)
        return self.task.expected_losses(Scored(self.tuning.probabilities, rows.labels, traits))


def read_production(stores: Stores) -> Production:
    """The production version, each artefact verified. Raises NoProductionModel, ReferenceTampered, StoreUnavailable."""
    pointer = stores.pointer.read().pointer
    manifest = stores.models.manifest(pointer.version)
    frozen = from_parquet(stores.models.artefact(manifest, REFERENCE), manifest.contract)
    return Production(
        pointer=pointer,
        manifest=manifest,
        model=model_of(manifest, stores.models.artefact),
        reference=Reference(frozen.features, manifest.contract),
        reference_rows=frozen,
        tuning=tuning_from_parquet(stores.models.artefact(manifest, TUNING), manifest.contract),
    )


def judgeable_inputs(
    stores: Stores, production: Production, window: PredictionWindow, start: datetime, minimum: int
) -> PredictionWindow:
    """The newest predictions that suffice to judge inputs by: the window, or `minimum` rows where it holds fewer.

    As far back as that takes, but not to rows that production was trained on, nor beyond 400 days.
    """
    earliest = max(production.manifest.taught_until, start - KEPT)
    parts, step = [window], timedelta(days=1)
    while sum(map(len, parts)) < minimum and start > earliest:
        since = max(start - step, earliest)
        parts.insert(0, stores.history.window(since, start, production.contract))
        # Days without traffic are many where it is rare: each look back is as long as all before it.
        start, step = since, 2 * step
    if len(parts) == 1:
        return window
    rows = PredictionWindow.concatenate(parts)
    is_newest = np.arange(len(rows)) >= len(rows) - max(minimum, len(window))
    return rows.take(is_newest & (rows.timestamps > as_datetime64(production.manifest.taught_until)))


def recent_predictions(
    stores: Stores, contract: Contract, window: PredictionWindow, start: datetime, now: datetime
) -> RecentPredictions:
    """The predictions of [start, now), which were read already, and of the days before that have any that is labelled.

    Those left out that a broken pipeline made. Back to where 2,000 are labelled, for 400 days at most.
    """
    broken = tuple(stores.fault_periods.touching(now - KEPT, now))
    parts = [_labelled(stores, window, broken, start, now)]
    for since, end in labelled_days(stores, now - KEPT, start, newest_first=True):
        if sum(int(part.is_labelled.sum()) for part in parts) >= LABELS_WANTED:
            break
        until = min(end, start)
        parts.append(_labelled(stores, stores.history.window(since, until, contract), broken, since, until))
    return RecentPredictions.concatenate(parts[::-1])


def _labelled(
    stores: Stores, made: PredictionWindow, broken: Iterable[FaultPeriod], start: datetime, end: datetime
) -> RecentPredictions:
    rows = made.take(is_sound(made, broken))
    known = stores.labels.of_predictions_between(start, end)
    labels = [known[key].label if key in known else -1 for key in rows.prediction_ids]
    return RecentPredictions(rows, np.array(labels, dtype=np.int8))
