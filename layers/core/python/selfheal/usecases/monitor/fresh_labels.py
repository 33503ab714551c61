"""What was labelled since a promotion, by the hours of the predictions; rows are read when they are asked for."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import cached_property

from selfheal.contract import Contract
from selfheal.records.labels import Label
from selfheal.records.ledger import Decision
from selfheal.records.monitoring import FaultPeriod
from selfheal.records.predictions import moment_of
from selfheal.stores.collection import Stores
from selfheal.stores.history import LoggedHour
from selfheal.stores.rollups import hour_of
from selfheal.tables.predictions import LabelledRows
from selfheal.usecases.heal.evidence import row_ids_behind
from selfheal.usecases.labels.labelled_days import DAY
from selfheal.usecases.labels.labelled_rows import is_sound, joined

type Labels = Mapping[str, Label]


@dataclass(frozen=True, eq=False)
class FreshHour:
    """An hour of predictions, and those of its labels that are fresh."""

    logged: LoggedHour
    labels: Labels
    broken: Sequence[FaultPeriod]
    contract: Contract

    @cached_property
    def fingerprint(self) -> str | None:
        """Of all that its labelled rows follow from; None where the hour isn't whole yet."""
        if self.logged.fingerprint is None:
            return None
        said = [f"{key} {label.label!r} {label.received_at.isoformat()}" for key, label in sorted(self.labels.items())]
        left_out = [f"{period.start.isoformat()} {period.end.isoformat()}" for period in self.broken]
        return hashlib.sha256("\n".join([self.logged.fingerprint, *left_out, *said]).encode()).hexdigest()[:16]

    def rows(self) -> LabelledRows:
        """Its labelled rows, without those that a broken pipeline made."""
        made = self.logged.rows()
        return joined(made.take(is_sound(made, self.broken)), self.labels, self.contract)[1]


class FreshLabels:
    """Labels that came after a promotion, of predictions that didn't gate it and were made since those that did."""

    def __init__(self, stores: Stores, contract: Contract, promotion: Decision, now: datetime) -> None:
        self._stores = stores
        self._contract = contract
        self._since = (promotion.evidence and promotion.evidence.oldest) or promotion.decided_at
        self._promoted_at = promotion.decided_at
        self._now = now
        self._used = row_ids_behind(stores, [promotion])

    def hours(self) -> Iterator[FreshHour]:
        """The hours that have any, oldest first; labels are in memory a day at a time."""
        broken = tuple(self._stores.fault_periods.touching(self._since, self._now))
        for day in sorted(self._stores.labels.days_between(self._since, self._now)):
            midnight = datetime.combine(day, time(), UTC)
            end = min(midnight + DAY, self._now)
            by_hour = self._by_hour(max(midnight, self._since), end)
            if not by_hour:
                continue
            for logged in self._stores.history.hours(min(by_hour), end, self._contract):
                labels = _of(logged, by_hour)
                if labels:
                    touching = [each for each in broken if each.start < logged.end and logged.hour < each.end]
                    yield FreshHour(logged, labels, touching, self._contract)

    def _by_hour(self, start: datetime, end: datetime) -> Mapping[datetime, Labels]:
        by_hour: defaultdict[datetime, dict[str, Label]] = defaultdict(dict)
        for key, label in self._stores.labels.of_predictions_between(start, end).items():
            if label.received_at > self._promoted_at and key not in self._used:
                by_hour[hour_of(moment_of(key))][key] = label
        return by_hour


def _of(logged: LoggedHour, by_hour: Mapping[datetime, Labels]) -> Labels:
    """The labels of an hour; a replay's may be longer than an hour."""
    found = [labels for hour, labels in by_hour.items() if logged.hour <= hour < logged.end]
    return found[0] if len(found) == 1 else {key: label for labels in found for key, label in labels.items()}
