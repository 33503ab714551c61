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
from selfheal.stores.collection import Stores
from selfheal.stores.history import LoggedHour
from selfheal.stores.summaries import SummaryStore, summary_key


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

    def wants(self, hour: LoggedHour) -> bool:
        """Whether an hour is whole, and what it came to isn't kept yet."""
        return hour.fingerprint is not None and self._key(hour) not in self.keys

    def keep(self, hour: LoggedHour, summary: HourSummary) -> None:
        """Keep what a wanted hour came to, for later runs."""
        self.store.write(self._key(hour), packed(summary))

    def _key(self, hour: LoggedHour) -> str:
        return summary_key(self.version, hour.hour, hour.fingerprint or "")
