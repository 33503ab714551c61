"""The production version as it was frozen: what monitoring judges by."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.drift import Reference
from selfheal.models.ports import Model
from selfheal.records.manifest import Manifest
from selfheal.records.pointer import Pointer
from selfheal.tables.dataset import Dataset
from selfheal.tables.table import columns_of
from selfheal.tables.tuning import TuningRows
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
