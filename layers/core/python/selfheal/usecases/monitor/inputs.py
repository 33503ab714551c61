"""What a monitoring run judges by: the production version as it was frozen, and the predictions that suffice."""

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
from selfheal.monitoring.window import WindowSummary
from selfheal.prefixes import KEPT
from selfheal.records.manifest import Manifest
from selfheal.records.pointer import Pointer
from selfheal.stores.collection import Stores
from selfheal.stores.registry import REFERENCE, TUNING
from selfheal.tables.dataset import Dataset
from selfheal.tables.sample import id_hashes
from selfheal.tables.table import columns_of
from selfheal.tables.tuning import TuningRows, tuning_from_parquet
from selfheal.tasks import Scored, Task, task_of
from selfheal.tasks.port import LossModel


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
        return task_of(self.manifest)

    def expected_losses(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """The loss that each row's own answer lets expect, as the tuning rows teach, shape (n,)."""
        said = self.model.probabilities_of(columns_of(features))
        return self._loss_model(said, self.reference.traits(features))

    @cached_property
    def _loss_model(self) -> LossModel:
        return self.task.expected_losses(self.promised)

    @cached_property
    def promised(self) -> Scored:
        """The tuning rows, what was said of them by a model that hadn't seen them, and what they are like."""
        rows = self.tuning.rows
        return Scored(self.tuning.probabilities, rows.labels, self.reference.traits(rows.features))


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
    stores: Stores, production: Production, window: WindowSummary, start: datetime, minimum: int
) -> WindowSummary:
    """The newest predictions that suffice to judge inputs by: the window, or `minimum` rows where it holds fewer.

    As far back as that takes, but not to rows that production was trained on, nor beyond 400 days.
    """
    taught = production.manifest.taught_until
    earliest, inputs, step = max(taught, start - KEPT), window, timedelta(days=1)
    while len(inputs) < minimum and start > earliest:
        since = max(start - step, earliest)
        for part in stores.history.partitions(since, start, production.contract, newest_first=True):
            rows = part.take(part.timestamps > as_datetime64(taught))
            newest = rows.take(slice(max(len(rows) - (minimum - len(inputs)), 0), None))
            inputs += WindowSummary.of(newest, id_hashes(newest.prediction_ids), production.reference)
            if len(inputs) >= minimum:
                break
        # Days without traffic are many where it is rare: each look back is as long as all before it.
        start, step = since, 2 * step
    return inputs
