"""The one reading of the newest predictions: the window in fixed size, and what labels have come."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np

from selfheal.contract import Contract
from selfheal.drift import Reference
from selfheal.monitoring.proxy_metrics import AnswersByAge
from selfheal.monitoring.window import WindowSummary
from selfheal.prefixes import KEPT
from selfheal.records.labels import Label
from selfheal.records.monitoring import FaultPeriod
from selfheal.stores.collection import Stores
from selfheal.tables.predictions import LabelledPredictions, PredictionWindow
from selfheal.tables.recent import RecentPredictions
from selfheal.tables.sample import Hashes, Sample, id_hashes
from selfheal.tasks.coding import labels_of
from selfheal.usecases.labels.labelled_days import labelled_days
from selfheal.usecases.labels.labelled_rows import is_sound

# Labelled rows that answer every question of a run.
LABELS_WANTED = 2000


@dataclass(frozen=True, eq=False)
class Traffic:
    """What a run knows of the predictions of [start, now) and of those before that are labelled.

    window: beside the version's reference. answers: by age. recent: the labelled ones, and of the others a sample.
    """

    window: WindowSummary
    answers: AnswersByAge
    recent: RecentPredictions


@dataclass(frozen=True, eq=False)
class _Joins:
    """Joins predictions to the labels known now."""

    contract: Contract
    known: Mapping[str, Label]
    broken: Sequence[FaultPeriod]

    @classmethod
    def between(cls, stores: Stores, contract: Contract, start: datetime, end: datetime) -> Self:
        broken = tuple(stores.fault_periods.touching(start, end))
        return cls(contract, stores.labels.of_predictions_between(start, end), broken)

    def joined(self, made: PredictionWindow, hashes: Hashes) -> RecentPredictions:
        sound = is_sound(made, self.broken)
        rows, hashes = made.take(sound), hashes[sound]
        is_labelled = np.array([key in self.known for key in rows.prediction_ids], dtype=bool)
        labelled = rows.take(is_labelled)
        labels = labels_of([self.known[key].label for key in labelled.prediction_ids], self.contract)
        unlabelled = Sample.of(rows.take(~is_labelled), hashes[~is_labelled])
        return RecentPredictions(len(rows), LabelledPredictions(labelled, labels), unlabelled)


def read_traffic(stores: Stores, contract: Contract, reference: Reference, start: datetime, now: datetime) -> Traffic:
    """The predictions of [start, now), an hour at a time, and of the days before that have any that is labelled.

    Back to where 2,000 are labelled, for 400 days at most. Raises StoreUnavailable.
    """
    nothing = PredictionWindow.empty(contract)
    hashes = id_hashes(nothing.prediction_ids)
    window, answers = WindowSummary.of(nothing, hashes, reference), AnswersByAge.of(now, nothing, hashes)
    joins = _Joins.between(stores, contract, start, now)
    recent = [joins.joined(nothing, hashes)]
    for part in stores.history.partitions(start, now, contract):
        hashes = id_hashes(part.prediction_ids)
        window += WindowSummary.of(part, hashes, reference)
        answers += AnswersByAge.of(now, part, hashes)
        recent.append(joins.joined(part, hashes))
    return Traffic(window, answers, _with_earlier(stores, contract, RecentPredictions.concatenate(recent), start, now))


def _with_earlier(
    stores: Stores, contract: Contract, window: RecentPredictions, start: datetime, now: datetime
) -> RecentPredictions:
    newest_first = [window]
    for since, end in labelled_days(stores, now - KEPT, start, newest_first=True):
        if sum(len(part.labelled) for part in newest_first) >= LABELS_WANTED:
            break
        newest_first += list(_labelled(stores, contract, since, min(end, start)))[::-1]
    return RecentPredictions.concatenate(newest_first[::-1])


def _labelled(stores: Stores, contract: Contract, since: datetime, until: datetime) -> Iterator[RecentPredictions]:
    joins = _Joins.between(stores, contract, since, until)
    for part in stores.history.partitions(since, until, contract):
        yield joins.joined(part, id_hashes(part.prediction_ids))
