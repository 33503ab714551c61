"""Label ingestion: an upload becomes labels, refused rows keep their reasons, and twice is like once."""

import csv
import hashlib
import io
from datetime import UTC, datetime, timedelta

import pytest

from labels.handler import uploads
from selfheal.errors import StoreUnavailable
from selfheal.files.limits import SPLIT
from selfheal.labels.known import KnownLabel
from selfheal.records.labels import IngestionReport, Upload
from selfheal.records.predictions import moment_of
from selfheal.usecases.labels.ingest import ingest_labels
from tests.support.serving import NOON, ROW, event, serving_world

DAY = timedelta(days=1)
UNKNOWN = "01JNKQ2Z7W3F8V5T0C9XG4H6RM-0000"  # 2025-03-05, a prediction that nobody made


@pytest.fixture
def world():
    return serving_world()


def upload(world, name: str, body: str | bytes, at: datetime = NOON) -> IngestionReport:
    return ingest_labels(world.stores, put(world, name, body, at))


def put(world, name: str, body: str | bytes, at: datetime = NOON) -> Upload:
    """Write a file as an uploader does; returns what S3's event tells of it."""
    content = body if isinstance(body, bytes) else body.encode()
    world.stores.labels.receive(name, content)
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Upload(key=f"labels/incoming/{name}", size=len(content), uploaded_at=at, etag=digest)


def ingest(world, name: str, at: datetime = NOON, size: int = 1) -> IngestionReport:
    told = Upload(key=f"labels/incoming/{name}", size=size, uploaded_at=at)
    return ingest_labels(world.stores, told)


def rejected(world, report: IngestionReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(world.data.get(report.refusals).body.decode())))


def known(world, start: datetime = NOON - DAY, end: datetime = NOON + DAY) -> dict[str, int]:
    return {key: label.label for key, label in world.stores.labels.of_predictions_between(start, end).items()}


def contents(world) -> dict[str, bytes]:
    return {key: world.data.get(key).body for key in world.data.keys("")}


def test_good_rows_are_kept_and_bad_ones_refused_with_line_and_reason(world):
    """Each row stands for itself."""
    identifier = world.predict(ROW).json["prediction_id"]
    body = f"prediction_id,label,label_timestamp\n{identifier},1,\nnonsense,1,\n{identifier},7,soon\n,,\n"
    report = upload(world, "week 1.csv", body)
    assert (report.accepted, report.rejected, report.repeated) == (1, 3, False)
    assert known(world) == {identifier: 1}
    reasons = {row["line"]: row["reason"] for row in rejected(world, report)}
    assert "not one that this service gives out" in reasons["3"]
    assert "label is not one of 1, true, 0, false; label_timestamp" in reasons["4"]
    assert reasons["5"] == "prediction_id is empty; label is empty"


def test_a_label_for_an_unknown_prediction_is_kept(world):
    """It lies under the day that its id tells, and is matched when the prediction's log is read."""
    assert upload(world, "a.csv", f"prediction_id,label\n{UNKNOWN},0\n").accepted == 1
    day = datetime(2025, 3, 5, tzinfo=UTC)
    assert known(world, day, day + DAY) == {UNKNOWN: 0}


def test_labels_with_times_of_their_own_change_nothing_a_second_time(world):
    """In whatever file and whenever: no object is added or altered but the upload itself and its outcome."""
    upload(world, "a.csv", f"prediction_id,label,label_timestamp\n{UNKNOWN},0,2025-04-01\n")
    before = contents(world)
    again = f'{{"prediction_id": "{UNKNOWN}", "label": false, "label_timestamp": "2025-04-01T00:00:00Z"}}\n'
    assert upload(world, "b.jsonl", again, at=NOON + DAY).repeated
    after = {key: value for key, value in contents(world).items() if "/b.jsonl" not in key}
    assert after == before


def test_an_event_that_comes_twice_changes_nothing(world):
    """S3 may tell of an upload more than once, and Lambda tries again: it stays one statement."""
    upload(world, "a.csv", f"prediction_id,label\n{UNKNOWN},0\n")
    before = contents(world)
    assert ingest(world, "a.csv").repeated
    assert contents(world) == before


def test_labels_without_times_that_are_uploaded_again_say_no_more_than_before(world):
    """Neither the label nor when it was first received: what counts labels that are new finds none."""
    body = f"prediction_id,label\n{UNKNOWN},0\n"
    upload(world, "a.csv", body)
    upload(world, "b.csv", body, at=NOON + DAY)
    (label,) = current(world).values()
    assert (label.label, label.received_at, label.label_timestamp) == (0, NOON, NOON + DAY)


@pytest.mark.parametrize("name", ["same.csv", "{}.csv"])
def test_a_label_can_be_taken_back_and_taken_back_again(world, name: str):
    """1, 0 and 1 again without times: three statements, of which the last one holds, whatever the files are called."""
    for hour, label in enumerate((1, 0, 1)):
        body = f"prediction_id,label\n{UNKNOWN},{label}\n"
        report = upload(world, name.format(hour), body, at=NOON + timedelta(hours=hour))
        assert ([each.label for each in current(world).values()], report.repeated) == ([label], False)


def test_a_label_can_be_taken_back_through_the_api(world):
    """The same for requests, of which the first and the last are alike byte by byte."""
    identifier = world.predict(ROW).json["prediction_id"]
    for label in (1, 0, 1):
        world.advance(60)
        sent = world.call("POST", "/labels", {"labels": [{"prediction_id": identifier, "label": label}]})
        ingest(world, sent.json["upload"], at=world.now)
        assert known(world) == {identifier: label}


def current(world) -> dict[str, KnownLabel]:
    day = moment_of(UNKNOWN)
    return world.stores.labels.of_predictions_between(day, day + DAY)


def test_a_relabelling_with_a_newer_time_wins(world):
    """Both are kept; which file came first doesn't matter."""
    upload(world, "b.csv", f"prediction_id,label,label_timestamp\n{UNKNOWN},1,2025-04-02T00:00:00Z\n")
    upload(world, "a.csv", f"prediction_id,label,label_timestamp\n{UNKNOWN},0,2025-04-01\n", at=NOON + DAY)
    day = datetime(2025, 3, 5, tzinfo=UTC)
    assert known(world, day, day + DAY) == {UNKNOWN: 1}


def test_a_file_that_contradicts_itself_keeps_the_first_row(world):
    """Same prediction, same time, other label: the later row is refused; an identical one is no fault."""
    report = upload(world, "a.csv", f"prediction_id,label\n{UNKNOWN},1\n{UNKNOWN},1\n{UNKNOWN},0\n")
    assert (report.accepted, report.rejected) == (1, 1)
    assert rejected(world, report)[0]["line"] == "4"


@pytest.mark.parametrize("name", ["scan.png", "scan.csv", "scan.parquet"])
def test_a_png_goes_to_rejected_whole(world, name: str):
    """Whatever it is called, the reason is kept and no label is."""
    report = upload(world, name, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    assert (report.accepted, report.rejected) == (0, 1)
    (row,) = rejected(world, report)
    assert row["reason"] == report.reason != ""
    assert not list(world.data.keys("labels/accepted/"))


def test_labels_from_the_api_take_the_same_way(world):
    """POST /labels writes an upload that the function takes in like any other."""
    identifier = world.predict(ROW).json["prediction_id"]
    batch = {"labels": [{"prediction_id": identifier, "label": True}]}
    name = world.call("POST", "/labels", batch).json["upload"]
    assert ingest(world, name).accepted == 1
    assert known(world) == {identifier: 1}


def test_an_unreachable_store_raises_so_that_lambda_tries_again(world):
    """A half ingested upload is completed by the next attempt."""
    world.stores.labels.receive("a.csv", f"prediction_id,label\n{UNKNOWN},1\n".encode())
    world.data.down = True
    with pytest.raises(StoreUnavailable):
        ingest(world, "a.csv")


def test_a_file_that_has_gone_is_reported(world):
    """Deleted before it was read: nothing to try again, and its reason lies where refused rows are looked for."""
    report = ingest(world, "x.csv")
    assert (report.accepted, report.rejected) == (0, 1)
    assert report.reason == "the file was gone before it was read: upload it again"
    assert rejected(world, report)[0]["reason"] == report.reason


def test_the_sample_event_tells_key_size_and_moment():
    """S3 encodes keys in events: spaces as plus, signs in percent."""
    (told,) = uploads(event("s3_labels_uploaded"))
    assert (told.key, told.size) == ("labels/incoming/march 2026/week #1.csv", 131)
    assert told.etag == "d41d8cd98f00b204e9800998ecf8427e"
    assert told.uploaded_at == datetime(2026, 3, 2, 9, 30, 0, 123_000, tzinfo=UTC)
    assert list(uploads({"Service": "Amazon S3", "Event": "s3:TestEvent"})) == []


@pytest.mark.parametrize("moment", ["", "2026-02-01T00:00:00Z"])
def test_an_upload_that_is_taken_in_late_doesn_t_overrule_a_later_one(world, moment: str):
    """Monday's event fails and comes again after Tuesday's correction, which stays, whether or not rows have times."""
    for name, label in (("monday.csv", 1), ("tuesday.csv", 0)):
        body = f"prediction_id,label,label_timestamp\n{UNKNOWN},{label},{moment}\n"
        world.stores.labels.receive(name, body.encode())
    tuesday = ingest(world, "tuesday.csv", at=NOON + DAY)
    monday = ingest(world, "monday.csv", at=NOON)
    assert (monday.accepted, tuesday.accepted) == (1, 1)
    day = datetime(2025, 3, 5, tzinfo=UTC)
    assert known(world, day, day + DAY) == {UNKNOWN: 0}


@pytest.mark.parametrize(
    ("ahead", "accepted"),
    [(timedelta(0), 1), (timedelta(minutes=5), 1), (timedelta(minutes=6), 0), (100 * 365 * DAY, 0)],
)
def test_a_label_of_the_future_is_refused(world, ahead: timedelta, accepted: int):
    """No correction could overrule it; a clock that is a little ahead does no harm."""
    body = f"prediction_id,label,label_timestamp\n{UNKNOWN},1,{(NOON + ahead).isoformat()}\n"
    report = upload(world, "a.csv", body)
    assert report.accepted == accepted
    if not accepted:
        assert "later than the upload" in rejected(world, report)[0]["reason"]
        assert upload(world, "b.csv", f"prediction_id,label\n{UNKNOWN},0\n", at=NOON + DAY).accepted
        assert [label.label for label in current(world).values()] == [0]


@pytest.mark.parametrize(
    ("prediction", "said"),
    [
        ("7ZZZZZZZZZZZZZZZZZZZZZZZZZ-0000", "not one that this service gives out"),
        ("01ZZZZZZZZZZZZZZZZZZZZZZZZ-0000", "of a time after the upload"),
        ("00000000000000000000000000-0000", "more than 400 days before the upload"),
        ("01HDWK2G0G00000000000000ZZ-0000", "more than 400 days before the upload"),
    ],
)
def test_labels_of_years_without_predictions_are_refused(world, prediction: str, said: str):
    """They would wait for ever, and be looked through at every run."""
    report = upload(world, "a.csv", f"prediction_id,label\n{prediction},1\n")
    assert report.accepted == 0
    assert said in rejected(world, report)[0]["reason"]


def test_a_file_that_can_t_be_read_to_its_end_keeps_no_row(world):
    """Rows are taken as they are read, but none is kept before all are: the reason holds for the whole file."""
    report = upload(world, "a.csv", f'prediction_id,label\n{UNKNOWN},1\n"{UNKNOWN},1\n')
    assert (report.accepted, report.rejected) == (0, 1)
    assert not list(world.data.keys("labels/accepted/"))


def test_a_file_of_too_many_bytes_is_refused_unread(world):
    """Its event says how large it is: more than even parts are made of is never fetched."""
    report = ingest(world, "never-there.csv", size=SPLIT.unfolded + 1)
    assert report.accepted == 0
    (row,) = rejected(world, report)
    assert row["reason"] == report.reason
    assert report.reason.endswith("split it into parts, or let `selfheal labels` do so")


def test_an_upload_whose_name_comes_again_before_it_is_read_is_told(world):
    """The first file's labels are lost and its uploader is told so; the second counts as of its own time, once."""
    first = put(world, "truth.csv", f"prediction_id,label\n{UNKNOWN},0\n", at=NOON)
    second = put(world, "truth.csv", f"prediction_id,label\n{UNKNOWN},1\n", at=NOON + DAY)
    stores = world.stores
    reports = [ingest_labels(stores, told) for told in (first, second)]
    assert [(report.accepted, report.rejected) for report in reports] == [(0, 1), (1, 0)]
    assert "each file under a name of its own" in rejected(world, reports[0])[0]["reason"]
    (label,) = current(world).values()
    assert (label.label, label.received_at, label.label_timestamp) == (1, NOON + DAY, NOON + DAY)


def test_refused_rows_of_a_name_that_comes_again_stand_beside_each_other(world):
    """The next night's refusals overwrite nothing, and a night without any isn't said to have the last one's."""
    bad = [upload(world, "nightly.csv", f"prediction_id,label\nbad-{n},1\n", at=NOON + n * DAY) for n in range(3)]
    whole = upload(world, "nightly.csv", f"prediction_id,label\n{UNKNOWN},1\n", at=NOON + 3 * DAY)
    assert [rejected(world, report)[0]["prediction_id"] for report in bad] == ["bad-0", "bad-1", "bad-2"]
    assert (whole.rejected, whole.refusals) == (0, "")
    assert len(set(world.data.keys("labels/rejected/nightly.csv/"))) == 3


@pytest.mark.parametrize("character", ["n", "é", "😀"])
def test_a_name_as_long_as_s3_allows_has_room_for_its_refusals(world, character: str):
    """The key of refused rows is longer than the upload's; S3 refuses one of more than 1,024 bytes, for ever."""
    name = character * ((1024 - len("labels/incoming/") - len(".csv")) // len(character.encode())) + ".csv"
    report = upload(world, name, "prediction_id,label\nbad,1\n")
    assert all(len(key.encode()) <= 1024 for key in contents(world))
    assert len(rejected(world, report)) == 1


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_a_refused_row_is_no_formula(world, start: str):
    """Somebody opens the reasons in a spreadsheet; what an uploader wrote stays a text there, and a short one."""
    evil = f'{start}HYPERLINK(""http://evil.example/"",""click"")'
    report = upload(world, "a.csv", f'prediction_id,label\n"{evil}","{start}1"\n{"x" * 5000},1\n')
    formula, long = rejected(world, report)
    assert formula["prediction_id"].startswith("'")
    assert not formula["label"].startswith("=")
    assert long["prediction_id"].endswith("characters in all)")
    assert "longer than 1,000 characters" in long["reason"]
    assert len(long["prediction_id"]) <= 300
