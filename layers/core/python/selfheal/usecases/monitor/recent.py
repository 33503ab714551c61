"""The one reading of the newest predictions: the window in fixed size, and what labels have come."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, reduce
from operator import add
from typing import Self

import numpy as np

from selfheal.contract import Contract
from selfheal.labels.known import KnownLabel
from selfheal.monitoring.hour import HourSummary, is_cut
from selfheal.monitoring.proxy_metrics import AnswersByAge
from selfheal.monitoring.window import WindowSummary
from selfheal.prefixes import KEPT
from selfheal.records.monitoring import FaultPeriod
from selfheal.records.predictions import moment_of
from selfheal.stores.collection import Stores
from selfheal.stores.history import LoggedHour
from selfheal.stores.rollups import HOUR, hour_of
from selfheal.tables.predictions import LabelledPredictions, PredictionWindow
from selfheal.tables.recent import RecentPredictions
from selfheal.tables.sample import Hashes, Sample, id_hashes
from selfheal.tasks.coding import labels_of
from selfheal.usecases.labels.labelled_days import labelled_days
from selfheal.usecases.labels.labelled_rows import is_sound
from selfheal.usecases.monitor.hours import HourSummaries

# Labelled rows that answer every question of a run.
LABELS_WANTED = 2000


@dataclass(frozen=True, eq=False)
class Traffic:
    """What a run knows of the predictions of [start, now) and of those before that are labelled.

    window: beside the version's reference. answers: by age. recent: the labelled ones, and of the others a sample.
    waiting: hours of which nothing is in these, since they are too large to be read before they are rolled up.
    """

    window: WindowSummary
    answers: AnswersByAge
    recent: RecentPredictions
    waiting: tuple[datetime, ...] = ()


@dataclass(frozen=True, eq=False)
class _Joins:
    """Joins predictions to the labels known now."""

    contract: Contract
    known: Mapping[str, KnownLabel]
    broken: Sequence[FaultPeriod]

    @classmethod
    def between(cls, stores: Stores, contract: Contract, start: datetime, end: datetime) -> Self:
        broken = tuple(stores.fault_periods.touching(start, end))
        return cls(contract, stores.labels.of_predictions_between(start, end), broken)

    def touch(self, hour: datetime) -> bool:
        """Whether some prediction of an hour is labelled, or may have been made by a broken pipeline."""
        return hour in self._labelled_hours or any(p.start < hour + HOUR and p.end > hour for p in self.broken)

    def unlabelled(self, hour: WindowSummary) -> RecentPredictions:
        """An hour that isn't touched."""
        nothing = self.joined(PredictionWindow.empty(self.contract), np.zeros(0, dtype=np.uint64))
        return replace(nothing, n=len(hour), unlabelled=hour.drawn or nothing.unlabelled)

    @cached_property
    def _labelled_hours(self) -> AbstractSet[datetime]:
        return {hour_of(moment_of(key)) for key in self.known}

    def joined(self, made: PredictionWindow, hashes: Hashes) -> RecentPredictions:
        sound = is_sound(made, self.broken)
        rows, hashes = made.take(sound), hashes[sound]
        is_labelled = np.array([key in self.known for key in rows.prediction_ids], dtype=bool)
        labelled = rows.take(is_labelled)
        labels = labels_of([self.known[key].label for key in labelled.prediction_ids], self.contract)
        unlabelled = Sample.of(rows.take(~is_labelled), hashes[~is_labelled])
        return RecentPredictions(len(rows), LabelledPredictions(labelled, labels), unlabelled)


def read_traffic(
    stores: Stores, contract: Contract, summaries: HourSummaries, start: datetime, now: datetime
) -> Traffic:
    """The predictions of [start, now), an hour at a time, and of the days before that have any that is labelled.

    Back to where 2,000 are labelled, for 400 days at most. Of a whole hour in which nothing is labelled, or left out,
    the summary is read, if there is one; where there is none, it is kept for later runs. Raises StoreUnavailable.
    """
    nothing = PredictionWindow.empty(contract)
    hashes = id_hashes(nothing.prediction_ids)
    window, answers = WindowSummary.of(nothing, hashes, summaries.reference), AnswersByAge.of(now, nothing, hashes)
    none, joins = answers.recent[0], _Joins.between(stores, contract, start, now)
    recent, waiting = [joins.joined(nothing, hashes)], list[datetime]()
    for hour in stores.history.hours(start, now, contract):
        known = None if joins.touch(hour.hour) or is_cut(hour.hour, now) else summaries.read(hour)
        if known is not None:
            window += known.window
            answers += known.by_age(now, hour.hour, none)
            recent.append(joins.unlabelled(known.window))
        elif hour.waits:
            waiting.append(hour.hour)
        else:
            read = _read(hour, joins, summaries, now)
            if read is not None:
                window += read.window
                answers += read.answers
                recent.append(RecentPredictions.together(read.recent))
                if read.summary is not None:
                    summaries.keep(hour, read.summary)
    found = _with_earlier(stores, contract, RecentPredictions.concatenate(recent), start, now)
    return Traffic(window, answers, found, tuple(waiting))


@dataclass(frozen=True, eq=False)
class _Reading:
    """What an hour's rows came to, or some of a large hour's; additive. `summary`: None where none is wanted."""

    window: WindowSummary
    answers: AnswersByAge
    recent: tuple[RecentPredictions, ...]
    summary: HourSummary | None

    def __add__(self, other: Self) -> Self:
        summary = self.summary + other.summary if self.summary and other.summary else None
        return type(self)(self.window + other.window, self.answers + other.answers, self.recent + other.recent, summary)


def _read(hour: LoggedHour, joins: _Joins, summaries: HourSummaries, now: datetime) -> _Reading | None:
    """A part is done with before the next one is read; None where the hour has none."""

    def of(rows: PredictionWindow) -> _Reading:
        hashes = id_hashes(rows.prediction_ids)
        window = WindowSummary.of(rows, hashes, summaries.reference)
        summary = HourSummary.of(hour.hour, rows, hashes, window) if summaries.wants(hour) else None
        return _Reading(window, AnswersByAge.of(now, rows, hashes), (joins.joined(rows, hashes),), summary)

    readings = map(of, hour.parts())
    first = next(readings, None)
    return first and reduce(add, readings, first)


def _with_earlier(
    stores: Stores, contract: Contract, window: RecentPredictions, start: datetime, now: datetime
) -> RecentPredictions:
    if len(window.labelled) >= LABELS_WANTED:
        return window
    newest_first = [window]
    # To ask for one day more costs listings and labels of that day.
    for since, end in labelled_days(stores, now - KEPT, start, newest_first=True):
        newest_first += list(_labelled(stores, contract, since, min(end, start)))[::-1]
        if sum(len(part.labelled) for part in newest_first) >= LABELS_WANTED:
            break
    return RecentPredictions.concatenate(newest_first[::-1])


def _labelled(stores: Stores, contract: Contract, since: datetime, until: datetime) -> Iterator[RecentPredictions]:
    joins = _Joins.between(stores, contract, since, until)
    for hour in stores.history.hours(since, until, contract):
        parts = [joins.joined(part, id_hashes(part.prediction_ids)) for part in hour.parts()]
        if parts:
            yield RecentPredictions.together(parts)
