"""A file of labels beyond one function's limits, put straight into S3: it becomes what any file becomes."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

import selfheal.usecases.labels.split
from selfheal.errors import StoreUnavailable
from selfheal.files.limits import SPLIT, UPLOAD, Limits
from selfheal.labels.parts import part_of, to_line
from selfheal.labels.rows import UploadedRow
from selfheal.prefixes import LABELS_ACCEPTED, LABELS_BY_ID, LABELS_INCOMING, LABELS_PARTS
from selfheal.records.labels import IngestionReport, Upload
from selfheal.records.predictions import new_request_id, prediction_id
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.labels.ingest import ingest_labels
from tests.support.serving import NOON, promote, write_version

SMALL = replace(UPLOAD, rows=100)
HOUR = timedelta(hours=1)
COLUMNS = ["prediction_id", "id", "label", "label_timestamp", "source"]


class Crash(Exception):
    """The function's end, in the middle of its work."""


class Cloud(MemoryBucket):
    """A bucket that tells of each upload, and the function that is told: an event comes again where it crashed.

    It crashes once, after its write of the number `crash_after`. An hour passes with each event.
    """

    def __init__(self, limits: Limits = SMALL, crash_after: int = -1) -> None:
        super().__init__()
        self.limits, self.crash_after, self.writes = limits, crash_after, 0
        self.stores = Stores(self, MemoryBucket())
        self.events: list[Upload] = []
        self.told: list[Upload] = []
        write_version(self.stores, "v1")
        promote(self.stores, "v1")

    def _write(self, key: str, body: bytes) -> str:
        etag = super()._write(key, body)
        if key.startswith(LABELS_INCOMING):
            at = NOON + HOUR * (len(self.told) + len(self.events))
            self.events.append(Upload(key=key, size=len(body), uploaded_at=at, etag=etag.strip('"')))
        self.writes += 1
        return etag

    def put(self, key: str, body: bytes) -> str:
        return self._crashing(super().put(key, body))

    def create(self, key: str, body: bytes) -> str:
        return self._crashing(super().create(key, body))

    def _crashing(self, etag: str) -> str:
        if self.writes == self.crash_after:
            self.crash_after = -1
            raise Crash
        return etag

    def upload(self, name: str, body: bytes) -> Upload:
        self.stores.labels.receive(name, body)
        return self.events[-1]

    def work(self) -> list[IngestionReport]:
        """Handle events until none is left."""
        reports = []
        while self.events:
            self.told.append(upload := self.events.pop(0))
            reports.append(self.handle(upload))
        return reports

    def handle(self, upload: Upload) -> IngestionReport:
        try:
            return ingest_labels(self.stores, upload, self.limits)
        except Crash:
            return ingest_labels(self.stores, upload, self.limits)


def many_rows(rows: int) -> list[list[str]]:
    """Labels of two kinds of ids, some said again, some with another value, some refused, some with two lines."""
    found = []
    for row in range(rows):
        at = NOON - timedelta(hours=row % (rows // 6 * 5))
        prediction = f"{prediction_id(new_request_id(at), 0)[:10]}{row % (rows // 6 * 5):016d}-{row % 5:04d}"
        key = [prediction, f"L-{row % 80}" if row % 4 == 0 else ""] if row % 3 else ["", f"L-{row % 80}"]
        label = "maybe" if row % 17 == 0 else str(row // 200 % 2)
        moment = "" if row % 2 else "2026-02-06T12:00:00Z"
        found.append([*key, label, moment, "two\nlines" if row % 7 == 0 else "x"])
    return found


def as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([COLUMNS, *rows])
    return text.getvalue().encode()


def as_parquet(rows: list[list[str]]) -> bytes:
    return pd.DataFrame(rows, columns=COLUMNS).to_parquet()


def as_json_lines(rows: list[list[str]]) -> bytes:
    return b"".join(json.dumps(dict(zip(COLUMNS, row, strict=True))).encode() + b"\n" for row in rows)


def what_is_kept(stores: Stores) -> tuple[list[str], list[str], list[tuple[str, ...]]]:
    """Accepted labels, those by id and refused rows, whatever objects they lie in."""
    accepted, by_id = (
        sorted(
            json.dumps({name: cell for name, cell in json.loads(line).items() if name != "upload"})
            for key in stores.data.keys(prefix)
            for line in stores.data.get(key).body.splitlines()
        )
        for prefix in (LABELS_ACCEPTED, f"{LABELS_BY_ID}uploaded/")
    )
    refused = [tuple(row.values()) for key in stores.labels.refusals() for row in stores.labels.refused(key)]
    return accepted, by_id, sorted(refused, key=lambda row: int(row[0]))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("truth.csv", as_csv),
        ("truth.csv.gz", lambda rows: gzip.compress(as_csv(rows), mtime=0)),
        ("truth.parquet", as_parquet),
        ("truth.parquet.gz", lambda rows: gzip.compress(as_parquet(rows), mtime=0)),
        ("truth.jsonl", as_json_lines),
    ],
)
def test_a_large_file_becomes_what_it_would_have_become_as_one(name: str, write: Callable[..., bytes]):
    """The same labels as of the same times, and the same rows refused with their lines of the whole file."""
    body = write(many_rows(600))
    large, small = Cloud(), Cloud(UPLOAD)
    for cloud in (large, small):
        cloud.upload(name, body)
    whole, *parts = large.work()
    (report,) = small.work()
    assert what_is_kept(large.stores) == what_is_kept(small.stores)
    assert min(map(len, what_is_kept(small.stores))) > 20
    assert whole.parts == tuple(part.upload for part in parts)
    assert len(parts) == 7
    for count in ("accepted", "pending", "rejected", "doubled"):
        assert sum(getattr(part, count) for part in parts) == getattr(report, count) > 0
    assert large.stores.labels.outcome(name) == whole
    assert (whole.accepted, whole.rejected, whole.reason) == (0, 0, "")


def test_the_function_may_end_after_each_of_its_writes():
    """The event comes again then: nothing is lost, and nothing is there twice."""
    body = as_csv(many_rows(240))
    undisturbed = Cloud()
    undisturbed.upload("truth.csv", body)
    undisturbed.work()
    wanted, before = what_is_kept(undisturbed.stores), 2
    for number in range(before, undisturbed.writes + 1):
        cloud = Cloud(crash_after=number)
        cloud.upload("truth.csv", body)
        cloud.work()
        assert cloud.crash_after == -1
        assert what_is_kept(cloud.stores) == wanted


def test_events_that_come_twice_change_nothing():
    """Neither of the whole file nor of a part."""
    cloud = Cloud()
    cloud.upload("truth.csv", as_csv(many_rows(240)))
    cloud.work()
    before = {key: cloud.get(key).body for key in cloud.keys("")}
    for upload in list(cloud.told):
        assert cloud.handle(upload).repeated
    assert cloud.events == []
    assert {key: cloud.get(key).body for key in cloud.keys("")} == before


def test_a_large_file_that_is_written_over_before_it_is_read_is_told():
    """Also where some of its parts were written: these count as of its time, and the other file is one of its own."""
    cloud = Cloud()
    first = cloud.upload("truth.csv", as_csv(many_rows(240)))
    cloud.events.clear()
    cloud.crash_after = cloud.writes + 2
    with pytest.raises(Crash):
        ingest_labels(cloud.stores, first, SMALL)
    cloud.upload("truth.csv", as_csv(many_rows(360)))
    assert "another file was written under this name" in cloud.handle(first).reason
    reports = cloud.work()
    (whole,) = (report for report in reports if report.parts)
    assert sum(report.accepted for report in reports if report.upload in whole.parts) > 0
    refused = what_is_kept(cloud.stores)[2]
    assert refused[0][0] == "0"
    assert {*what_is_kept(cloud_of(as_csv(many_rows(360))).stores)[2]} <= {*refused}


def cloud_of(body: bytes) -> Cloud:
    cloud = Cloud()
    cloud.upload("truth.csv", body)
    cloud.work()
    return cloud


@pytest.mark.parametrize("moment", ["", "2026-02-01T00:00:00Z"])
def test_parts_count_as_of_the_upload_of_the_whole(moment: str):
    """A correction that came before they were cut, or taken in, stays."""
    cloud = Cloud()
    rows = [
        [f"{prediction_id(new_request_id(NOON - HOUR), 0)[:22]}{n:04d}-0000", "", "0", moment, ""] for n in range(150)
    ]
    cloud.upload("monday.csv", as_csv(rows))
    monday = cloud.events.pop()
    cloud.upload("tuesday.csv", as_csv([[rows[0][0], "", "1", moment, ""]]))
    tuesday = cloud.events.pop().model_copy(update={"uploaded_at": NOON + timedelta(minutes=1)})
    cloud.handle(tuesday)
    cloud.handle(monday)
    cloud.work()
    labels = cloud.stores.labels.of_predictions_between(NOON - 2 * HOUR, NOON)
    assert (len(labels), sum(label.label for label in labels.values())) == (150, 1)
    assert {label.received_at for label in labels.values()} == {NOON, tuesday.uploaded_at}


def test_a_part_that_dates_itself_after_it_came_counts_from_when_it_came():
    """Whoever may upload labels can't date one later than it is."""
    cloud = Cloud()
    row = to_line(UploadedRow(2, prediction_id(new_request_id(NOON - HOUR), 0), label="1"))
    cloud.upload("parts/forged.jsonl", b'{"uploaded_at": "2999-01-01T00:00:00Z"}\n' + row)
    (report,) = cloud.work()
    assert report.accepted == 1
    (label,) = cloud.stores.labels.of_predictions_between(NOON - 2 * HOUR, NOON).values()
    assert label.label_timestamp == label.received_at == NOON


def test_a_part_is_never_cut_again():
    """So the function wakes itself once: what is too large below `parts/` is refused."""
    cloud = Cloud(replace(UPLOAD, unfolded=1_000))
    cloud.upload("parts/x.jsonl", to_line(UploadedRow(2, "p", label="1")) * 20)
    (report,) = cloud.work()
    assert "split it" in report.reason
    assert len(list(cloud.keys(LABELS_INCOMING))) == 1


@pytest.mark.parametrize(
    ("split", "told"),
    [
        (replace(SPLIT, rows=200), "more than 200 rows"),
        (replace(SPLIT, unfolded=10_000), "unfolds to more than 10,000 bytes"),
    ],
)
def test_what_is_beyond_parts_too_is_refused_whole(monkeypatch, split: Limits, told: str):
    """By what it unfolds to, whatever its own size; with what to do, and before any part is written."""
    monkeypatch.setattr(selfheal.usecases.labels.split, "SPLIT", split)
    cloud = Cloud()
    body = gzip.compress(as_csv([["p" * 30, "", "1", "", ""]] * 1_000), mtime=0)
    assert len(body) < 1_000
    cloud.upload("bomb.csv.gz", body)
    (report,) = cloud.work()
    assert told in report.reason
    assert report.reason.endswith("or let `selfheal labels` do so")
    assert list(cloud.keys(LABELS_PARTS)) == []


def test_a_large_file_that_breaks_off_is_refused_whole():
    """No row of it is kept, as of a small one."""
    cloud = Cloud()
    cloud.upload("truth.csv.gz", gzip.compress(as_csv(many_rows(600)), mtime=0)[:-2_000])
    (report,) = cloud.work()
    assert "can't be unfolded" in report.reason
    assert list(cloud.keys(LABELS_PARTS)) == []


def test_one_prediction_with_more_rows_than_a_part_holds_is_told():
    """Its rows can't be in several parts: the file is refused before any of it is written."""
    cloud = Cloud(replace(UPLOAD, rows=100, unfolded=50_000))
    cloud.upload("truth.csv", as_csv([[prediction_id(new_request_id(NOON - HOUR), 0), "", "1", "", ""]] * 600))
    (report,) = cloud.work()
    assert "say the same again" in report.reason
    assert list(cloud.keys(LABELS_PARTS)) == []


def test_rows_of_a_prediction_are_together_whatever_else_they_name():
    """A row may name a user's id beside it; rows that name nothing, or can't be read, are spread."""
    row = UploadedRow(2, "p", label="1")
    assert part_of(row, 1_000) == part_of(replace(row, line=9, id="L-1"), 1_000)
    assert part_of(replace(row, prediction_id="", id=" L-1"), 1_000) == part_of(UploadedRow(3, id="L-1"), 1_000)
    for empty in ({}, {"fault": "torn", "id": "x"}):
        assert len({part_of(UploadedRow(line, **empty), 100) for line in range(1_000)}) == 100


def test_a_long_name_has_room_for_its_parts():
    """S3 takes keys of 1,024 bytes; parts of two such names are told apart by what they hold."""
    cloud = Cloud()
    cloud.upload(f"{'é' * 500}.csv", as_csv(many_rows(240)))
    whole, *parts = cloud.work()
    assert len(whole.parts) == len(parts) == 3
    assert max(len(key.encode()) for key in cloud.keys("")) <= 1024


def test_an_unreachable_store_raises_so_that_lambda_tries_again():
    """While the whole is fetched as well."""

    class Down(Cloud):
        def download(self, key: str, file: object) -> str:
            raise StoreUnavailable(f"{key}, {file}")

    cloud = Down()
    cloud.upload("truth.csv", as_csv(many_rows(240)))
    with pytest.raises(StoreUnavailable):
        cloud.work()
