"""What was labelled since a promotion, by the hours of the predictions; rows are read when they are asked for."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property, partial

from selfheal.contract import Contract
from selfheal.labels.known import KnownLabel
from selfheal.records.ledger import Decision
from selfheal.records.monitoring import FaultPeriod
from selfheal.records.predictions import moment_of
from selfheal.stores.collection import Stores
from selfheal.stores.history import LoggedHour
from selfheal.stores.rollups import hour_of
from selfheal.tables.predictions import LabelledRows, PredictionWindow
from selfheal.usecases.heal.evidence import row_ids_behind
from selfheal.usecases.labels.labelled_days import DAY
from selfheal.usecases.labels.labelled_rows import is_sound, joined

type Labels = Mapping[str, KnownLabel]


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
        return _digest([self.logged.fingerprint, *_told(self.broken), *said])

    def rows(self) -> LabelledRows:
        """Its labelled rows, without those that a broken pipeline made."""
        made = (part.take(is_sound(part, self.broken)) for part in self.logged.parts())
        labelled = [joined(part, self.labels, self.contract)[1] for part in made]
        nothing = PredictionWindow.empty(self.contract)
        return LabelledRows.concatenate(labelled or [joined(nothing, {}, self.contract)[1]])


@dataclass(frozen=True, eq=False)
class FreshDay:
    """A day of predictions of which any is labelled; its labels are read when its hours are asked for.

    accepted: the keys of what holds them, whose names follow from what they say.
    """

    day: date
    logged: Sequence[LoggedHour]
    accepted: Sequence[str]
    broken: Sequence[FaultPeriod]
    contract: Contract
    labels_by_hour: Callable[[], Mapping[datetime, Labels]]

    @cached_property
    def fingerprint(self) -> str | None:
        """Of all that its hours' fingerprints follow from; None where an hour isn't whole yet."""
        hours = [f"{each.hour.isoformat()} {each.fingerprint}" for each in self.logged]
        is_whole = all(each.fingerprint is not None for each in self.logged)
        return _digest([*hours, *_told(self.broken), *self.accepted]) if is_whole else None

    def hours(self) -> Iterator[FreshHour]:
        """The hours that have fresh labels, oldest first."""
        by_hour = self.labels_by_hour() if self.logged else {}
        for logged in self.logged:
            labels = _of(logged, by_hour)
            if labels:
                yield FreshHour(logged, labels, _touching(self.broken, logged.hour, logged.end), self.contract)


class FreshLabels:
    """Labels that came after a promotion, of predictions that didn't gate it and were made since those that did."""

    def __init__(self, stores: Stores, contract: Contract, promotion: Decision, now: datetime) -> None:
        self._stores = stores
        self._contract = contract
        self._since = (promotion.evidence and promotion.evidence.oldest) or promotion.decided_at
        self._promoted_at = promotion.decided_at
        self._now = now
        self._used = row_ids_behind(stores, [promotion])

    def days(self) -> Iterator[FreshDay]:
        """The days that have any label, oldest first."""
        broken = tuple(self._stores.fault_periods.touching(self._since, self._now))
        for day, accepted in self._stores.labels.accepted_between(self._since, self._now).items():
            midnight = datetime.combine(day, time(), UTC)
            since, until = max(midnight, self._since), min(midnight + DAY, self._now)
            # Whole hours, so that the first one can be known: what was made before has no label among those that count.
            logged = tuple(self._stores.history.hours(hour_of(since), until, self._contract))
            labels = partial(self._by_hour, since, until)
            yield FreshDay(day, logged, accepted, _touching(broken, midnight, until), self._contract, labels)

    def hours(self) -> Iterator[FreshHour]:
        """The hours that have any fresh label, oldest first; labels are in memory a day at a time."""
        return (hour for day in self.days() for hour in day.hours())

    def _by_hour(self, start: datetime, end: datetime) -> Mapping[datetime, Labels]:
        by_hour: defaultdict[datetime, dict[str, KnownLabel]] = defaultdict(dict)
        for key, label in self._stores.labels.of_predictions_between(start, end).items():
            if label.received_at > self._promoted_at and key not in self._used:
                by_hour[hour_of(moment_of(key))][key] = label
        return by_hour


def _of(logged: LoggedHour, by_hour: Mapping[datetime, Labels]) -> Labels:
    """The labels of an hour; a replay's may be longer than an hour."""
    found = [labels for hour, labels in by_hour.items() if logged.hour <= hour < logged.end]
    return found[0] if len(found) == 1 else {key: label for labels in found for key, label in labels.items()}


def _touching(broken: Sequence[FaultPeriod], start: datetime, end: datetime) -> Sequence[FaultPeriod]:
    return [period for period in broken if period.start < end and start < period.end]


def _told(broken: Sequence[FaultPeriod]) -> Iterator[str]:
    return (f"{period.start.isoformat()} {period.end.isoformat()}" for period in broken)


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
