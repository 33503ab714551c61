"""The label store: accepted labels by the day of their prediction, refused rows with their reasons."""

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

import orjson

from selfheal.errors import ObjectExists, ObjectMissing
from selfheal.records.labels import IngestionReport, Label, RejectedRow
from selfheal.records.predictions import moment_of
from selfheal.stores.bucket import Bucket

INCOMING = "labels/incoming/"
ACCEPTED = "labels/accepted/"
REJECTED = "labels/rejected/"
OUTCOMES = "labels/outcomes/"
COLUMNS = ("line", "prediction_id", "id", "label", "reason")
RESOLUTION = timedelta(microseconds=1)


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

    def accept(self, labels: Iterable[Label]) -> bool:
        """Keep an upload's labels, one object for each day of predictions; False where all was said before.

        An object is named by what its labels say and as of when, not by when they came: the same statements again,
        in whatever file, change nothing, and the same labels as of another time are other statements.
        """
        by_day: defaultdict[str, list[Label]] = defaultdict(list)
        for label in labels:
            by_day[f"{moment_of(label.prediction_id):%Y-%m-%d}"].append(label)
        created = [
            self._create(f"{ACCEPTED}dt={day}/{_digest(kept)}.jsonl", _lines(kept)) for day, kept in by_day.items()
        ]
        return any(created)

    def reject(self, upload: str, rows: Sequence[RejectedRow]) -> None:
        """Keep the refused rows of an upload, each with its line and reason."""
        self._data.put(f"{REJECTED}{upload}.csv", _csv(rows))

    def write_outcome(self, report: IngestionReport) -> None:
        """Keep what became of the newest upload of a name, as it was found first: a retry finds all said before."""
        known = self.outcome(report.upload)
        if known is None or known.uploaded_at < report.uploaded_at:
            self._data.put(_outcome(report.upload), report.to_json())

    def outcome(self, upload: str) -> IngestionReport | None:
        """What became of the newest upload of a name; None where none was taken in yet."""
        try:
            return IngestionReport.model_validate_json(self._data.get(_outcome(upload)).body)
        except ObjectMissing:
            return None

    def rejections(self) -> list[str]:
        """The names of the uploads of which rows were refused."""
        return [key.removeprefix(REJECTED).removesuffix(".csv") for key in self._data.keys(REJECTED)]

    def rejected(self, upload: str) -> list[dict[str, str]]:
        """The refused rows of an upload: line, prediction_id, id, label and reason, as text. Raises ObjectMissing."""
        return list(csv.DictReader(io.StringIO(self._data.get(f"{REJECTED}{upload}.csv").body.decode(), newline="")))

    def of_predictions_between(self, start: datetime, end: datetime) -> dict[str, Label]:
        """The current label of every labelled prediction made in [start, end): the newest label_timestamp wins.

        Its `received_at` is the first at which its value was received: saying a label again makes no news of it.
        """
        newest: dict[str, Label] = {}
        first: dict[tuple[str, int], datetime] = {}
        for label in self._labels_of(self._keys(start, end)):
            known = newest.get(label.prediction_id)
            if known is None or _age(known) < _age(label):
                newest[label.prediction_id] = label
            said = label.prediction_id, label.label
            first[said] = min(first.get(said, label.received_at), label.received_at)
        return {
            key: _received(label, first[key, label.label])
            for key, label in newest.items()
            if start <= moment_of(key) < end
        }

    def newest_between(self, start: datetime, end: datetime, at_most: int) -> list[datetime]:
        """When the newest labelled predictions of [start, end) were made, newest first, `at_most` of them.

        Read a day at a time from the newest on, so that a year of labels costs no more than the days that are needed.
        """
        newest: list[datetime] = []
        for _, keys in groupby(reversed(list(self._keys(start, end))), key=_day_of):
            bodies = (body for _, body in self._data.get_many(keys))
            labelled = {orjson.loads(line)["prediction_id"] for body in bodies for line in body.splitlines()}
            moments = sorted(map(moment_of, labelled), reverse=True)
            newest += [moment for moment in moments if start <= moment < end]
            if len(newest) >= at_most:
                break
        return newest[:at_most]

    def days_between(self, start: datetime, end: datetime) -> set[date]:
        """The days of [start, end) whose predictions have any label."""
        return {date.fromisoformat(_day_of(key)) for key in self._keys(start, end)}

    def _labels_of(self, keys: Iterable[str]) -> Iterator[Label]:
        for _, body in self._data.get_many(keys):
            yield from (Label.model_validate_json(line) for line in body.splitlines())

    def _keys(self, start: datetime, end: datetime) -> Iterator[str]:
        """What lies in the days from start's to the one that holds the last moment before end: one listing."""
        last = f"{ACCEPTED}dt={end - RESOLUTION:%Y-%m-%d}/"
        for key in self._data.keys(ACCEPTED, start_after=f"{ACCEPTED}dt={start:%Y-%m-%d}/"):
            if key[: len(last)] > last:
                return
            yield key

    def _create(self, key: str, body: bytes) -> bool:
        try:
            self._data.create(key, body)
        except ObjectExists:
            return False
        return True


def _outcome(upload: str) -> str:
    return f"{OUTCOMES}{upload}.json"


def _day_of(key: str) -> str:
    return key[len(ACCEPTED) + len("dt=") :][: len("2026-01-31")]


def _age(label: Label) -> tuple[datetime, datetime, int]:
    # The label itself decides last, so that the outcome never depends on the order of reading.
    return label.label_timestamp, label.received_at, label.label


def _received(label: Label, moment: datetime) -> Label:
    return label if label.received_at == moment else label.model_copy(update={"received_at": moment})


def _digest(labels: Sequence[Label]) -> str:
    digest = hashlib.sha256()
    for label in labels:
        digest.update(label.model_dump_json(exclude={"received_at"}).encode())
    return digest.hexdigest()


def _lines(labels: Sequence[Label]) -> bytes:
    return b"".join(label.model_dump_json().encode() + b"\n" for label in labels)


def _csv(rows: Sequence[RejectedRow]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([getattr(row, column) for column in COLUMNS] for row in rows)
    return text.getvalue().encode()
