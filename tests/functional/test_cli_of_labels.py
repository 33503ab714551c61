"""`selfheal labels`: what becomes of an upload is said, and what was refused can be seen."""

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import Result
from typer.testing import CliRunner

import selfheal_tools.cli.labels
from selfheal.errors import UploadUnreadable
from selfheal.labels.files import MAXIMUM_BYTES
from selfheal.prefixes import LABELS_INCOMING
from selfheal.records.labels import RejectedRow, Upload
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
        self.asleep = False
        self._seconds = count()

    def put(self, key: str, body: bytes) -> str:
        etag = super().put(key, body)
        if key.startswith(LABELS_INCOMING) and not self.asleep:
            at = NOON + timedelta(seconds=next(self._seconds))
            ingest_labels(self.stores, Upload(key=key, size=len(body), uploaded_at=at))
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


def selfheal(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["labels", *arguments], catch_exceptions=False)


def written(folder: Path, body: str, name: str = "truth.csv") -> str:
    file = folder / name
    file.write_text(body, encoding="utf-8")
    return str(file)


def test_an_upload_is_answered_with_what_became_of_it(stores, tmp_path: Path):
    """Accepted, pending by id, said twice, refused by reason; where rows were refused the exit code is 3."""
    body = f"prediction_id,id,label\n{UNKNOWN},,1\n,L-1,0\n,L-2,1\n,L-3,maybe\nx,,1\ny,,0\n,L-1,0\n{UNKNOWN},,1\n"
    result = selfheal(written(tmp_path, body))
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
    first = selfheal(written(tmp_path, body))
    assert (first.exit_code, first.output.splitlines()[1]) == (0, "accepted: 1 row(s)")
    again = selfheal(written(tmp_path, body))
    assert (again.exit_code, again.output.splitlines()[1]) == (0, "accepted: 1 row(s) (all of it was said before)")


def test_a_file_that_is_refused_as_a_whole_says_why(stores, tmp_path: Path):
    """The reason of the labels function, and exit code 3."""
    result = selfheal(written(tmp_path, "a,b\n1,2\n"))
    assert result.exit_code == 3
    assert "refused as a whole: the file lacks the column(s) prediction_id or id, label" in result.output


def test_an_outcome_that_doesn_t_come_is_no_outcome(stores, tmp_path: Path):
    """An older one of the same file isn't taken for it; nothing is said of rows that nobody has looked at."""
    file = written(tmp_path, f"prediction_id,label\n{UNKNOWN},1\n")
    assert selfheal(file).exit_code == 0
    stores.data.asleep = True
    with pytest.raises(selfheal_tools.cli.labels.OutcomeUnknown, match="tried again"):
        selfheal(file)


def test_label_files_of_one_name_do_not_replace_each_other(stores, tmp_path: Path):
    """Yesterday's and today's truth.csv are two uploads; the same file again is the same object."""
    for label in ("1", "0", "1"):
        assert "-truth.csv" in selfheal(written(tmp_path, f"prediction_id,label\n{UNKNOWN},{label}\n")).output
    assert len(list(stores.data.keys("labels/incoming/"))) == 2


def test_refusals_can_be_seen(stores, tmp_path: Path):
    """Of one file or of all: line, what the row held, and the reason; twenty of an upload at the most."""
    selfheal(written(tmp_path, "id,label\nL-1,maybe\n", "a.csv"))
    selfheal(written(tmp_path, "prediction_id,label\n" + "x,1\n" * 25, "b.csv"))
    of_one = selfheal("a.csv", "--rejected")
    assert of_one.exit_code == 0
    assert "-a.csv/20260301T1200" in of_one.output
    assert "  line 2, id L-1, label maybe: label is not one of 1, true, 0, false" in of_one.output
    of_all = selfheal("--rejected").output
    assert ".csv: 25 refused" in of_all
    assert of_all.count("prediction_id x, label 1: prediction_id is not one that this service gives out") == 20
    assert "and 5 more in s3://data/labels/rejected/" in of_all


def test_without_refusals_that_is_said(stores):
    """Rather than nothing."""
    assert selfheal("--rejected").output == "no row was refused in the last 30 days\n"


def test_what_was_uploaded_can_t_steer_the_terminal(stores):
    """Control characters and markup of a refused row are shown, not obeyed."""
    upload = Upload(key="labels/incoming/x.csv", size=1, uploaded_at=NOON)
    stores.labels.reject(upload, [RejectedRow(line=2, label="\x1b[2J[/bold]", reason="label is odd")])
    shown = selfheal("--rejected").output
    assert "[2J[/bold]: label is odd" in shown
    assert "\x1b" not in shown


def test_a_label_file_that_is_too_large_stays_where_it_is(stores, tmp_path: Path):
    """What the labels function would refuse is refused before it is uploaded."""
    file = tmp_path / "truth.csv"
    with file.open("wb") as opened:
        opened.truncate(MAXIMUM_BYTES + 1)
    with pytest.raises(UploadUnreadable, match="split it"):
        selfheal(str(file))
    assert list(stores.data.keys("labels/incoming/")) == []


def test_without_a_file_and_without_the_option_the_command_asks(stores):
    """A usage error, with what may be given."""
    result = selfheal()
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
