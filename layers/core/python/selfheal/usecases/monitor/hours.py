"""Hours' summaries beside one version: read where they are kept, kept where they had to be made."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from selfheal.contract import Contract
from selfheal.drift import Reference
from selfheal.errors import ObjectMissing
from selfheal.monitoring.hour import HourSummary
from selfheal.monitoring.packing import packed, unpacked
from selfheal.monitoring.window import WindowSummary
from selfheal.stores.collection import Stores
from selfheal.stores.history import LoggedHour
from selfheal.stores.summaries import SummaryStore, summary_key
from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.sample import Hashes


@dataclass(frozen=True, eq=False)
class HourSummaries:
    """What is kept of a version; `keys` as listed when the run began."""

    store: SummaryStore
    version: str
    contract: Contract
    reference: Reference
    keys: Collection[str]

    @classmethod
    def since(cls, stores: Stores, version: str, contract: Contract, reference: Reference, start: datetime) -> Self:
        """Those of the hours from a moment on. Raises StoreUnavailable."""
        return cls(stores.summaries, version, contract, reference, stores.summaries.keys(version, start))

    def read(self, hour: LoggedHour) -> HourSummary | None:
        """An hour's summary; None where there is none that can be read."""
        key = self._key(hour)
        if key not in self.keys:
            return None
        try:
            return unpacked(self.store.read(key), self.contract)
        except ObjectMissing:
            return None

    def keep(self, hour: LoggedHour, rows: PredictionWindow, hashes: Hashes, window: WindowSummary) -> None:
        """Keep what a whole hour's rows came to, for later runs; nothing where it is kept already."""
        if hour.fingerprint is not None and (key := self._key(hour)) not in self.keys:
            self.store.write(key, packed(HourSummary.of(hour.hour, rows, hashes, window)))

    def _key(self, hour: LoggedHour) -> str:
        return summary_key(self.version, hour.hour, hour.fingerprint or "")
