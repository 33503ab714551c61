"""What some rows of an hour come to beside the reference of the version that its plan names."""

import pandas as pd

from selfheal.contract import Contract
from selfheal.drift import Reference
from selfheal.monitoring.hour import HourSummary
from selfheal.monitoring.window import WindowSummary
from selfheal.records.hours import HourPlan
from selfheal.stores.collection import Stores
from selfheal.stores.history import window_of
from selfheal.tables.sample import id_hashes
from selfheal.usecases.monitor.inputs import read_reference


class Summariser:
    """Reads the reference once. Raises ReferenceTampered, VersionUnknown, StoreUnavailable when it is made."""

    def __init__(self, stores: Stores, plan: HourPlan) -> None:
        manifest = stores.models.manifest(plan.version)
        self._plan = plan
        self.contract: Contract = manifest.contract
        self._reference: Reference = read_reference(stores, manifest)[0]

    def of(self, logged: pd.DataFrame) -> HourSummary:
        """Of rows of the log, oldest first."""
        rows = window_of(logged, self.contract)
        hashes = id_hashes(rows.prediction_ids)
        return HourSummary.of(self._plan.hour, rows, hashes, WindowSummary.of(rows, hashes, self._reference))
