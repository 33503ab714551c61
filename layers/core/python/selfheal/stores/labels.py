"""The label store: accepted labels by the day of their prediction, refused rows with their reasons."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from selfheal.errors import ObjectExists
from selfheal.records.labels import Label, RejectedRow
from selfheal.records.predictions import moment_of
from selfheal.stores.bucket import Bucket

INCOMING = "labels/incoming/"
ACCEPTED = "labels/accepted/"
REJECTED = "labels/rejected/"
DAY = timedelta(days=1)


class LabelStore:
    """`labels/…` of the data bucket."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def upload(self, key: str) -> bytes:
        """The bytes that a user uploaded under a key of `labels/incoming/`. Raises ObjectMissing."""
        return self._data.get(key).body

    def receive(self, name: str, body: bytes) -> str:
        """Put a file where uploads go, as a user would; returns its key. Raises StoreUnavailable."""
        key = f"{INCOMING}{name}"
        self._data.put(key, body)
        return key

    def accept(self, digest: str, labels: Iterable[Label]) -> bool:
        """Keep an upload's labels, one object for each day of predictions; False where this content was kept before.

        `digest` is the SHA-256 of the upload's bytes: the same content has the same keys, so uploading it again, under
        whatever name, changes nothing.
        """
        by_day: defaultdict[str, list[Label]] = defaultdict(list)
        for label in labels:
            by_day[f"{moment_of(label.prediction_id):%Y-%m-%d}"].append(label)
        created = [self._create(f"{ACCEPTED}dt={day}/{digest}.jsonl", _lines(kept)) for day, kept in by_day.items()]
        return any(created)

    def reject(self, upload: str, rows: Sequence[RejectedRow]) -> None:
        """Keep the refused rows of an upload, each with its line and reason."""
        self._data.put(f"{REJECTED}{upload}.csv", _csv(rows))

    def of_predictions_between(self, start: datetime, end: datetime) -> dict[str, Label]:
        """The current label of every labelled prediction made in [start, end): the newest label_timestamp wins."""
        newest: dict[str, Label] = {}
        for label in self._all_of_days(start, end):
            known = newest.get(label.prediction_id)
            if known is None or _age(known) < _age(label):
                newest[label.prediction_id] = label
        return {key: label for key, label in newest.items() if start <= moment_of(key) < end}

    def _all_of_days(self, start: datetime, end: datetime) -> Iterable[Label]:
        day = start.replace(hour=0, minute=0, second=0, microsecond=0)
        keys: list[str] = []
        while day < end:
            keys.extend(self._data.keys(f"{ACCEPTED}dt={day:%Y-%m-%d}/"))
            day += DAY
        for _, body in self._data.get_many(keys):
            yield from (Label.model_validate_json(line) for line in body.splitlines())

    def _create(self, key: str, body: bytes) -> bool:
        try:
            self._data.create(key, body)
        except ObjectExists:
            return False
        return True


def _age(label: Label) -> tuple[datetime, datetime, int]:
    # The label itself decides last, so that the outcome never depends on the order of reading.
    return label.label_timestamp, label.received_at, label.label


def _lines(labels: Sequence[Label]) -> bytes:
    return b"".join(label.model_dump_json().encode() + b"\n" for label in labels)


def _csv(rows: Sequence[RejectedRow]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["line", "prediction_id", "label", "reason"])
    writer.writerows([row.line, row.prediction_id, row.label, row.reason] for row in rows)
    return text.getvalue().encode()
