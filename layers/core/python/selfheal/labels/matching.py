"""Which predictions a label means that names them by a user's id."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from selfheal.contract.model import RepeatedIds
from selfheal.records.labels import Label, LabelById
from selfheal.records.predictions import moment_of


class Match(NamedTuple):
    """The labels that a label by id stands for, none where it waits on; `refusal` says why it never does."""

    labels: list[Label]
    refusal: str = ""


def match(label: LabelById, candidates: Sequence[str], window: timedelta, rule: RepeatedIds) -> Match:
    """What a label says of the predictions under its id.

    It means those that were made in the window before its time; where there are several, the rule decides. Where there
    is none, it means the first one that was made in the window after it: it came before its prediction did.
    """
    before = sorted(key for key in candidates if timedelta() <= label.label_timestamp - moment_of(key) <= window)
    if len(before) > 1 and rule == "refuse":
        days = f"{window.days} day{'s' if window.days > 1 else ''}"
        return Match([], f"{len(before)} predictions were made under this id within {days} (repeated_ids is refuse)")
    if before:
        return Match([_labelled(label, key) for key in (before if rule == "all" else before[-1:])])
    after = sorted(key for key in candidates if timedelta() < moment_of(key) - label.label_timestamp <= window)
    return Match([_labelled(label, key) for key in after[:1]])


def _labelled(label: LabelById, prediction_id: str) -> Label:
    return Label(
        prediction_id=prediction_id,
        label=label.label,
        label_timestamp=label.label_timestamp,
        # A label that was there first has arrived when its prediction was made.
        received_at=max(label.received_at, moment_of(prediction_id)),
        source=label.source,
    )
