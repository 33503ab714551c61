"""Accepted labels as they are read back: of millions in memory, a fifth of what records would take."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from selfheal.labels.values import LabelValue
from selfheal.records.labels import Label

# Held at a time: the labels of an upload share when they were received, and mostly as of when they are.
MOMENTS = 10_000


class KnownLabel(NamedTuple):
    """What an accepted label says, of which prediction, as of when, and when it was received; moments in UTC."""

    prediction_id: str
    label: LabelValue
    label_timestamp: datetime
    received_at: datetime


def known_labels(body: bytes) -> Sequence[KnownLabel]:
    """The labels in the body of an accepted object, a JSON line each.

    Raises:
        ValidationError: a line is no label.
        RecordIncompatible: one was written by a release that this one can't read.
    """
    return [_known(line) for line in body.splitlines()]


def newest_of(labels: Iterable[KnownLabel]) -> dict[str, KnownLabel]:
    """The current label of each prediction: the newest label_timestamp wins, in whatever order they are read.

    Its `received_at` is the first at which its value was received: saying a label again makes no news of it.
    """
    newest: dict[str, KnownLabel] = {}
    # Of predictions that were labelled more than once.
    first: dict[tuple[str, LabelValue], datetime] = {}
    for label in labels:
        known = newest.setdefault(label.prediction_id, label)
        if known is label:
            continue
        for each in (known, label):
            said = each.prediction_id, each.label
            first[said] = min(first.get(said, each.received_at), each.received_at)
        if _age(known) < _age(label):
            newest[label.prediction_id] = label
    for (key, value), received_at in first.items():
        if newest[key].label == value:
            newest[key] = newest[key]._replace(received_at=received_at)
    return newest


def _age(label: KnownLabel) -> tuple[datetime, datetime, Any]:
    # The label itself decides last, so that the outcome never depends on the order of reading.
    return label.label_timestamp, label.received_at, label.label


def _known(line: bytes) -> KnownLabel:
    try:
        said = orjson.loads(line)
        if said["schema_version"] == 1:
            made, received = _moment(said["label_timestamp"]), _moment(said["received_at"])
            return KnownLabel(_text(said["prediction_id"]), _VALUES[type(said["label"])](said["label"]), made, received)
    except (KeyError, TypeError, ValueError):
        pass
    # An infinite number, which JSON has no word for; what it can't read either it refuses by name.
    label = Label.model_validate_json(line)
    return KnownLabel(label.prediction_id, label.label, label.label_timestamp, label.received_at)


@lru_cache(MOMENTS)
def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} names no zone")
    return moment.astimezone(UTC)


def _text(said: object) -> str:
    if not isinstance(said, str):
        raise TypeError("not a text")
    return said


def _number(said: int) -> int | float:
    return said if said in (0, 1) else float(said)


# As the record types what JSON holds.
_VALUES: dict[type, Callable[[Any], LabelValue]] = {int: _number, float: float, str: str}
