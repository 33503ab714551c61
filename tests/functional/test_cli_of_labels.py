"""`selfheal labels`: what becomes of an upload is said, and what was refused can be seen."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import count, repeat
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import Result
from typer.testing import CliRunner

import selfheal_tools.cli.labels
import selfheal_tools.label_parts
from selfheal.errors import UploadUnreadable
from selfheal.files.limits import UPLOAD
from selfheal.labels.parts import to_line
from selfheal.labels.rows import UploadedRow
from selfheal.prefixes import LABELS_ACCEPTED, LABELS_BY_ID, LABELS_INCOMING
from selfheal.records.labels import RejectedRow, Upload
from selfheal.records.predictions import new_request_id, prediction_id
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.labels.ingest import ingest_labels
from selfheal_tools.cli.app import app
from selfheal_tools.environment import Environment
from tests.support.serving import NOON, ROW, World, promote, serving_world, write_version

UNKNOWN = "01JNKQ2Z7W3F8V5T0C9XG4H6RM-0000"  # 2025-03-05


class Watched(MemoryBucket):
    """A bucket whose uploads are taken in at once, as by the labels function; `asleep`: they aren't."""

    def __init__(self) -> None:
        super().__init__()
        self.stores = Stores(self, MemoryBucket())
        self.asleep, self.limits = False, UPLOAD
        self._seconds = count()

    def put(self, key: str, body: bytes) -> str:
        return self._told(key, body, super().put(key, body))

    def create(self, key: str, body: bytes) -> str:
        return self._told(key, body, super().create(key, body))

    def _told(self, key: str, body: bytes, etag: str) -> str:
        if key.startswith(LABELS_INCOMING) and not self.asleep:
            at = NOON + timedelta(seconds=next(self._seconds))
            ingest_labels(self.stores, Upload(key=key, size=len(body), uploaded_at=at), self.limits)
        return etag


@pytest.fixture
def stores(monkeypatch) -> Stores:
    """An environment with a model, and no time to wait."""
    stores = Watched().stores
    write_version(stores, "v1")
    promote(stores, "v1")
    other = cast("Any", None)
    environment = Environment("dev", "https://x", "data", stores, other, other, other, other)
    monkeypatch.setattr(selfheal_tools.cli.labels, "connect", lambda _: environment)
    monkeypatch.setattr(selfheal_tools.cli.labels, "WAIT_SECONDS", 0.05)
    monkeypatch.setattr(selfheal_tools.cli.labels, "POLL_SECONDS", 0.01)
    return stores


def command(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["labels", *arguments], catch_exceptions=False)


def written(folder: Path, body: str, name: str = "truth.csv") -> str:
    file = folder / name
    file.write_text(body, encoding="utf-8")
    return str(file)


def test_an_upload_is_answered_with_what_became_of_it(stores, tmp_path: Path):
    """Accepted, pending by id, said twice, refused by reason; where rows were refused the exit code is 3."""
    body = f"prediction_id,id,label\n{UNKNOWN},,1\n,L-1,0\n,L-2,1\n,L-3,maybe\nx,,1\ny,,0\n,L-1,0\n{UNKNOWN},,1\n"
    result = command(written(tmp_path, body))
    assert result.exit_code == 3
    assert [line.strip() for line in result.output.splitlines()[1:]] == [
        "accepted: 1 row(s)",
        "pending: 2 row(s) by id, matched with their predictions once this hour is closed",
        "said twice: 2 row(s), which count once",
        "refused: 3 row(s)",
        "2 x prediction_id is not one that this service gives out",
        "1 x label is not one of 1, true, 0, false",
        "each of them: selfheal labels truth.csv --rejected",
    ]


def test_an_upload_without_a_fault_ends_with_0(stores, tmp_path: Path):
    """And says so where all of it was known."""
    body = f"prediction_id,label,label_timestamp\n{UNKNOWN},1,2025-04-01\n"
    first = command(written(tmp_path, body))
    assert (first.exit_code, first.output.splitlines()[1]) == (0, "accepted: 1 row(s)")
    again = command(written(tmp_path, body))
    assert (again.exit_code, again.output.splitlines()[1]) == (0, "accepted: 1 row(s) (all of it was said before)")


def test_a_file_that_is_refused_as_a_whole_says_why(stores, tmp_path: Path):
    """The reason of the labels function, and exit code 3."""
    result = command(written(tmp_path, "a,b\n1,2\n"))
    assert result.exit_code == 3
    assert "refused as a whole: the file lacks the column(s) prediction_id or id, label" in result.output


def test_an_outcome_that_doesn_t_come_is_no_outcome(stores, tmp_path: Path):
    """An older one of the same file isn't taken for it; nothing is said of rows that nobody has looked at."""
    file = written(tmp_path, f"prediction_id,label\n{UNKNOWN},1\n")
    assert command(file).exit_code == 0
    stores.data.asleep = True
    with pytest.raises(selfheal_tools.cli.labels.OutcomeUnknown, match="tried again"):
        command(file)


def test_label_files_of_one_name_do_not_replace_each_other(stores, tmp_path: Path):
    """Yesterday's and today's truth.csv are two uploads; the same file again is the same object."""
    for label in ("1", "0", "1"):
        assert "-truth.csv" in command(written(tmp_path, f"prediction_id,label\n{UNKNOWN},{label}\n")).output
    assert len(list(stores.data.keys("labels/incoming/"))) == 2


def test_refusals_can_be_seen(stores, tmp_path: Path):
    """Of one file or of all: line, what the row held, and the reason; twenty of an upload at the most."""
    command(written(tmp_path, "id,label\nL-1,maybe\n", "a.csv"))
    command(written(tmp_path, "prediction_id,label\n" + "x,1\n" * 25, "b.csv"))
    of_one = command("a.csv", "--rejected")
    assert of_one.exit_code == 0
    assert "-a.csv/20260301T1200" in of_one.output
    assert "  line 2, id L-1, label maybe: label is not one of 1, true, 0, false" in of_one.output
    of_all = command("--rejected").output
    assert ".csv: 25 refused" in of_all
    assert of_all.count("prediction_id x, label 1: prediction_id is not one that this service gives out") == 20
    assert "and 5 more in s3://data/labels/rejected/" in of_all


def test_without_refusals_that_is_said(stores):
    """Rather than nothing."""
    assert command("--rejected").output == "no row was refused in the last 30 days\n"


def test_what_was_uploaded_can_t_steer_the_terminal(stores):
    """Control characters and markup of a refused row are shown, not obeyed."""
    upload = Upload(key="labels/incoming/x.csv", size=1, uploaded_at=NOON)
    stores.labels.reject(upload, [RejectedRow(line=2, label="\x1b[2J[/bold]", reason="label is odd")])
    shown = command("--rejected").output
    assert "[2J[/bold]: label is odd" in shown
    assert "\x1b" not in shown


def test_a_large_label_file_that_can_t_be_read_stays_where_it_is(stores, tmp_path: Path):
    """It could be uploaded neither as it is nor in parts: the reason is told before anything is."""
    file = tmp_path / "truth.csv"
    with file.open("wb") as opened:
        opened.truncate(UPLOAD.unfolded + 1)
    with pytest.raises(UploadUnreadable, match=r"truth\.csv"):
        command(str(file))
    assert list(stores.data.keys("labels/incoming/")) == []


@pytest.fixture
def small_limits(monkeypatch):
    """Parts of some 90 rows."""
    monkeypatch.setattr(selfheal_tools.label_parts, "SURELY_ONE", 0)
    monkeypatch.setattr(selfheal_tools.label_parts, "UPLOAD", replace(UPLOAD, rows=100))


def many_labels(rows: int) -> str:
    """Labels of two kinds of ids, every sixth said again, some with another value, some that are refused."""
    lines = ["prediction_id,id,label,label_timestamp"]
    for row in range(rows):
        prediction = prediction_id(new_request_id(NOON - timedelta(hours=row % (rows // 6 * 5))), 0)
        key = (f"{prediction[:26]}-{row % 5:04d}", "") if row % 3 else ("", f"L-{row % 80}")
        label = "maybe" if row % 17 == 0 else str(row // 200 % 2)
        lines.append(f"{key[0]},{key[1]},{label},{'' if row % 2 else '2025-03-06T12:00:00Z'}")
        if row % 50 == 0:
            lines.append(f"{key[0]},1")
    return "\n".join(lines) + "\n"


def what_is_kept(stores: Stores) -> tuple[list, list, list]:
    """Accepted labels, those by id and refused rows, whatever objects they lie in and whenever they came."""
    when = {"received_at", "upload", "label_timestamp"}
    accepted, by_id = (
        sorted(
            json.dumps({name: cell for name, cell in json.loads(line).items() if name not in when})
            for key in stores.data.keys(prefix)
            for line in stores.data.get(key).body.splitlines()
        )
        for prefix in (LABELS_ACCEPTED, f"{LABELS_BY_ID}uploaded/")
    )
    refused = [row for key in stores.labels.refusals() for row in stores.labels.refused(key)]
    return accepted, by_id, sorted(refused, key=lambda row: int(row["line"]))


def test_a_file_in_parts_becomes_what_it_would_have_become_as_one(stores, tmp_path: Path, small_limits, monkeypatch):
    """The same labels, and the same rows refused with their lines of the whole file, duplicates across it included."""
    monkeypatch.setattr(stores.data, "_seconds", repeat(0))
    file = written(tmp_path, many_labels(600))
    result = command(file)
    in_parts = what_is_kept(stores)
    parts = list(stores.data.keys(f"{LABELS_INCOMING}parts/"))
    assert len(parts) == len(list(stores.data.keys(LABELS_INCOMING))) == 7
    monkeypatch.setattr(selfheal_tools.label_parts, "UPLOAD", UPLOAD)
    whole = Watched().stores
    whole.data._seconds = repeat(0)
    write_version(whole, "v1")
    promote(whole, "v1")
    whole.labels.receive("truth.csv", Path(file).read_bytes())
    assert in_parts == what_is_kept(whole)
    assert min(map(len, in_parts)) > 20
    report = whole.labels.outcome("truth.csv")
    assert f"accepted: {report.accepted} row(s)" in result.output
    assert f"refused: {report.rejected} row(s)" in result.output
    assert result.exit_code == 3


def test_a_file_that_the_function_cuts_is_told_of_by_its_parts(stores, tmp_path: Path):
    """Its columns that nobody needs are many: here it looks small, there it unfolds to too much."""
    stores.data.limits = replace(UPLOAD, unfolded=20_000)
    file = written(tmp_path, many_labels(600))
    result = command(file)
    (name,) = (key.removeprefix(LABELS_INCOMING) for key in stores.data.keys(LABELS_INCOMING) if "/parts/" not in key)
    reports = [stores.labels.outcome(part) for part in stores.labels.outcome(name).parts]
    assert len(reports) > 3
    assert f"accepted: {sum(report.accepted for report in reports)} row(s)" in result.output
    assert result.exit_code == 3


def test_a_file_in_parts_uploaded_again_says_nothing_else(stores, tmp_path: Path, small_limits):
    """Parts are named by what they hold: as after an upload that was broken off, each is the same upload again."""
    file = written(tmp_path, many_labels(300))
    command(file)
    keys, before = list(stores.data.keys(LABELS_INCOMING)), what_is_kept(stores)
    command(file)
    assert list(stores.data.keys(LABELS_INCOMING)) == keys
    for kept_before, kept_now in zip(before, what_is_kept(stores), strict=True):
        assert set(map(str, kept_now)) == set(map(str, kept_before))


def test_what_nobody_cut_off_a_file_is_no_part(stores):
    """Rows of parts have their own form: whatever else is put there is refused as a whole."""
    for number, body in enumerate((b"{", b"[1]", b'{"line": "1"}', to_line(UploadedRow(1)) + b"{}")):
        stores.labels.receive(f"parts/x/{number}.jsonl", body)
        report = stores.labels.outcome(f"parts/x/{number}.jsonl")
        assert report.reason.startswith("line ")
        assert report.accepted == 0


def test_without_a_file_and_without_the_option_the_command_asks(stores):
    """A usage error, with what may be given."""
    result = command()
    assert result.exit_code == 2
    assert "--rejected" in result.output


# The same questions asked of the API


@pytest.fixture
def world() -> World:
    return serving_world()


@pytest.mark.parametrize(
    ("row", "field", "told"),
    [
        ({"label": 7}, "label", "is not one of 1, true, 0, false"),
        ({"label": "yes"}, "label", "is not one of"),
        ({"label": " "}, "label", "is empty"),
        ({"label_timestamp": "yesterday"}, "label_timestamp", "is not a time in ISO 8601"),
        ({"label_timestamp": "2999-01-01"}, "label_timestamp", "is later than the upload"),
        ({"prediction_id": None}, "prediction_id", "is empty"),
        ({"prediction_id": None, "id": "x" * 201}, "id", "at most 200 characters"),
        ({"prediction_id": None, "id": 1.5}, "id", "a whole number"),
    ],
)
def test_the_api_refuses_at_once_what_is_wrong_in_itself(world, row: dict[str, Any], field: str, told: str):
    """Named by its field; nothing is stored, so that nobody waits for a refusal in a bucket."""
    good = {"prediction_id": UNKNOWN, "label": 1}
    bad = {name: value for name, value in {**good, **row}.items() if value is not None}
    reply = world.call("POST", "/labels", {"labels": [good, bad]})
    assert reply.status == 422
    (error,) = reply.json["errors"]
    assert error["field"] == f"labels.1.{field}"
    assert told in error["message"]
    assert list(world.data.keys("labels/")) == []


@pytest.mark.parametrize("label", [1, 0.0, True, "1", "FALSE", " true "])
def test_the_api_takes_every_value_that_is_a_label(world, label: Any):
    """In any of the spellings that a file may use."""
    assert world.call("POST", "/labels", {"labels": [{"prediction_id": UNKNOWN, "label": label}]}).status == 202


def test_before_a_model_is_known_labels_are_taken_all_the_same():
    """Where the registry is down at the start, what is wrong is found when the file is taken in."""
    world = serving_world()
    world.registry.down = True
    assert world.call("POST", "/labels", {"labels": [{"prediction_id": UNKNOWN, "label": "churned"}]}).status == 202
    assert world.predict(ROW).status == 503
