"""The label store: accepted labels by the day of their prediction, refused rows with their reasons."""

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, islice
from typing import BinaryIO

import orjson

from selfheal.errors import ObjectExists, ObjectMissing
from selfheal.labels.known import KnownLabel, known_labels, newest_of
from selfheal.labels.values import LabelValue
from selfheal.prefixes import LABELS_ACCEPTED, LABELS_INCOMING, LABELS_OUTCOMES, LABELS_REJECTED
from selfheal.records.labels import IngestionReport, Label, RejectedRow, Upload
from selfheal.records.predictions import moment_of
from selfheal.stores.bucket import Bucket
from selfheal.stores.uploads import downloaded, ending_of, uploaded
from selfheal.text import spreadsheet_cell

COLUMNS = ("line", "prediction_id", "id", "label", "reason")
LONGEST_CELL = 300
RESOLUTION = timedelta(microseconds=1)
# S3's limit, in bytes of UTF-8.
LONGEST_KEY = 1024

type Parser = Callable[[bytes], Sequence[KnownLabel]]


class LabelStore:
    """`labels/…` of the data bucket; `labels_in` parses the body of an accepted object."""

    def __init__(self, data: Bucket, labels_in: Parser = known_labels) -> None:
        self._data = data
        self._labels_in = labels_in

    def upload(self, upload: Upload) -> bytes:
        """The bytes of an upload. Raises ObjectMissing; ObjectChanged where it is another file by now."""
        return uploaded(self._data, upload)

    def download(self, upload: Upload, file: BinaryIO) -> None:
        """Write an upload's bytes into a file, some at a time. Raises as `upload` does."""
        downloaded(self._data, upload, file)

    def receive(self, name: str, body: bytes) -> str:
        """Put a file where uploads go, as a user would; returns its key. Raises StoreUnavailable."""
        key = f"{LABELS_INCOMING}{name}"
        self._data.put(key, body)
        return key

    def receive_part(self, name: str, body: bytes) -> bool:
        """Put a part of an upload where uploads go; False where it was put there before, and taken in or soon is."""
        return self._create(f"{LABELS_INCOMING}{name}", body)

    def accept(self, labels: Iterable[Label]) -> bool:
        """Keep an upload's labels, one object for each day of predictions; False where all was said before.

        An object is named by what its labels say and as of when, not by when they came: the same statements again,
        in whatever file, change nothing, and the same labels as of another time are other statements.
        """
        by_day: defaultdict[str, list[Label]] = defaultdict(list)
        for label in labels:
            by_day[f"{moment_of(label.prediction_id):%Y-%m-%d}"].append(label)
        created = [
            self._create(f"{LABELS_ACCEPTED}dt={day}/{_digest(kept)}.jsonl", _lines(kept))
            for day, kept in by_day.items()
        ]
        return any(created)

    def reject(self, upload: Upload, rows: Sequence[RejectedRow]) -> str:
        """Keep the refused rows of an upload, each with its line and reason; returns the key, which is its own."""
        key = _key_of_refusals(upload)
        self._data.put(key, _csv(rows))
        return key

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

    def outcomes(self, at_most: int) -> list[IngestionReport]:
        """What became of uploads of the last 30 days, in no particular order; `at_most` of them."""
        keys = islice(self._data.keys(LABELS_OUTCOMES), at_most)
        return [IngestionReport.model_validate_json(body) for _, body in self._data.get_many(keys)]

    def refusals(self) -> list[str]:
        """The keys of all refused rows, an object for each upload."""
        return list(self._data.keys(LABELS_REJECTED))

    def refused(self, key: str) -> list[dict[str, str]]:
        """Refused rows: line, prediction_id, id, label and reason, as text. Raises ObjectMissing."""
        return list(csv.DictReader(io.StringIO(self._data.get(key).body.decode(), newline="")))

    def of_predictions_between(self, start: datetime, end: datetime, below: int | None = None) -> dict[str, KnownLabel]:
        """The current label of every labelled prediction made in [start, end): the newest label_timestamp wins.

        With `below`: of those predictions alone whose ids' hashes are below it.
        """
        labels = self._labels_of(self._keys(start, end), below)
        return newest_of(label for label in labels if start <= moment_of(label.prediction_id) < end)

    def newest_between(self, start: datetime, end: datetime, at_most: int) -> list[datetime]:
        """When the newest labelled predictions of [start, end) were made, newest first, `at_most` of them.

        Read a day at a time from the newest on, so that a year of labels costs no more than the days that are needed.
        """
        newest: list[datetime] = []
        for _, keys in groupby(reversed(list(self._keys(start, end))), key=_day_of):
            moments = sorted(map(moment_of, self._labelled_in(keys)), reverse=True)
            newest += [moment for moment in moments if start <= moment < end]
            if len(newest) >= at_most:
                break
        return newest[:at_most]

    def values_between(self, start: datetime, end: datetime) -> set[LabelValue]:
        """What the current labels of predictions made in [start, end) say; a day of them is in memory at a time."""
        found: set[LabelValue] = set()
        for day in sorted(self.days_between(start, end)):
            since = datetime.combine(day, time(), UTC)
            labels = self.of_predictions_between(max(start, since), min(end, since + timedelta(days=1)))
            found.update(label.label for label in labels.values())
        return found

    def days_between(self, start: datetime, end: datetime) -> set[date]:
        """The days of [start, end) whose predictions have any label."""
        return set(self.accepted_between(start, end))

    def accepted_between(self, start: datetime, end: datetime) -> dict[date, list[str]]:
        """The keys of accepted objects by day, for the days of [start, end), oldest first; none is written again."""
        found: defaultdict[date, list[str]] = defaultdict(list)
        for key in self._keys(start, end):
            found[date.fromisoformat(_day_of(key))].append(key)
        return dict(found)

    def labelled_on(self, day: date) -> set[str]:
        """The ids of a day's labelled predictions, whether or not they were ever made."""
        since = datetime.combine(day, time(), UTC)
        return self._labelled_in(self._keys(since, since + timedelta(days=1)))

    def _labelled_in(self, keys: Iterable[str]) -> set[str]:
        bodies = (body for _, body in self._data.get_many(keys))
        return {orjson.loads(line)["prediction_id"] for body in bodies for line in body.splitlines()}

    def _labels_of(self, keys: Iterable[str], below: int | None) -> Iterator[KnownLabel]:
        for _, body in self._data.get_many(keys):
            yield from self._labels_in(body if below is None else _lines_below(body, below))

    def _keys(self, start: datetime, end: datetime) -> Iterator[str]:
        """What lies in the days from start's to the one that holds the last moment before end: one listing."""
        last = f"{LABELS_ACCEPTED}dt={end - RESOLUTION:%Y-%m-%d}/"
        for key in self._data.keys(LABELS_ACCEPTED, start_after=f"{LABELS_ACCEPTED}dt={start:%Y-%m-%d}/"):
            if key[: len(last)] > last:
                return
            yield key

    def _create(self, key: str, body: bytes) -> bool:
        try:
            self._data.create(key, body)
        except ObjectExists:
            return False
        return True


def _lines_below(body: bytes, below: int) -> bytes:
    """The lines whose predictions' ids have hashes below a limit."""
    import numpy as np  # both not where labels are sent to the API, which has no pandas

    from selfheal.tables.sample import id_hashes

    lines = body.splitlines()
    ids = np.array([orjson.loads(line)["prediction_id"] for line in lines], dtype=object)
    return b"\n".join(lines[place] for place in np.flatnonzero(id_hashes(ids) < below))


def _outcome(upload: str) -> str:
    # As long as the upload's own key, so that S3 takes it: without an ending.
    return f"{LABELS_OUTCOMES}{upload}"


def _day_of(key: str) -> str:
    return key[len(LABELS_ACCEPTED) + len("dt=") :][: len("2026-01-31")]


def _digest(labels: Sequence[Label]) -> str:
    digest = hashlib.sha256()
    for label in labels:
        digest.update(label.model_dump_json(exclude={"received_at"}).encode())
    return digest.hexdigest()


def _lines(labels: Sequence[Label]) -> bytes:
    return b"".join(label.model_dump_json().encode() + b"\n" for label in labels)


def _key_of_refusals(upload: Upload) -> str:
    """Below the upload's own name, which may come again: its moment, and what it held."""
    ending = f"{ending_of(upload)}.csv"
    name = upload.key.removeprefix(LABELS_INCOMING).encode()[: LONGEST_KEY - len(LABELS_REJECTED) - len(ending)]
    return f"{LABELS_REJECTED}{name.decode(errors='ignore')}{ending}"


def _csv(rows: Sequence[RejectedRow]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    # People open this file in a spreadsheet.
    writer.writerows([row.line, *map(_cell, (row.prediction_id, row.id, row.label, row.reason))] for row in rows)
    return text.getvalue().encode()


def _cell(text: str) -> str:
    return spreadsheet_cell(text, LONGEST_CELL)
