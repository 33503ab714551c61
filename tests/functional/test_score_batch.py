"""Files dropped for scoring: each row answered as the API answers it, logged once, and refused where it has to be."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from batch_scoring.handler import uploads
from selfheal.contract import Contract, parse_contract
from selfheal.errors import StoreUnavailable
from selfheal.files.limits import SPLIT
from selfheal.records.batches import BatchReport
from selfheal.records.labels import Upload
from selfheal.usecases.serve.score_batch import score_batch
from tests.support.serving import NOON, World, event, linear_model, promote, write_version

CONTRACT = parse_contract("""
[model]
name = "small"
target = "y"
id_column = "loan"
[features.amount]
type = "number"
minimum = 0
aliases = ["sum"]
[features.count]
type = "integer"
nullable = true
[features.channel]
type = "category"
nullable = true
[features.member]
type = "boolean"
nullable = true
""")
HEADER = "loan,amount,count,channel,member,note"
ROWS = (
    "L-1,1.5,3,web,true,first",
    "L-2,20,,shop,0,",
    ',30,4,,,"a, b"',
)


def world_of(contract: Contract = CONTRACT) -> World:
    world = World(check_seconds=0)
    write_version(world.stores, "v1", contract=contract, model=linear_model(contract))
    promote(world.stores, "v1")
    return world


@pytest.fixture
def world() -> World:
    return world_of()


def drop(world: World, name: str, body: str | bytes) -> Upload:
    content = body if isinstance(body, bytes) else body.encode()
    etag = world.data.put(f"batches/incoming/{name}", content).strip('"')
    return Upload(key=f"batches/incoming/{name}", size=len(content), etag=etag, uploaded_at=world.now)


def score(world: World, upload: Upload) -> BatchReport:
    return score_batch(world.stores, world.model.current(world.now), upload)


def done(world: World, report: BatchReport, kind: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(world.data.get(f"{report.done}.{kind}.csv").body.decode())))


def test_answers_lie_beside_the_rows_and_are_those_of_the_api(world):
    """The file's own cells, then the answer; probabilities are the API's for the same rows, and all rows are logged."""
    report = score(world, drop(world, "march.csv", "\n".join([HEADER, *ROWS, ""])))
    assert (report.answered, report.refused, report.reason) == (3, 0, "")
    answers = done(world, report, "answers")
    assert [tuple(row.values())[:6] for row in answers] == [tuple(row) for row in csv.reader(ROWS)]
    sent: list[dict[str, Any]] = [
        {"loan": "L-1", "amount": 1.5, "count": 3, "channel": "web", "member": True},
        {"loan": "L-2", "amount": 20, "count": None, "channel": "shop", "member": False},
        {"amount": 30, "count": 4, "channel": None, "member": None},
    ]
    logged = world.logged()
    replies = [world.predict(row).json for row in sent]
    assert [float(row["probability"]) for row in answers] == [reply["probability"] for reply in replies]
    assert [int(row["prediction"]) for row in answers] == [reply["prediction"] for reply in replies]
    assert {row["model_version"] for row in answers} == {"v1"}
    assert [line["prediction_id"] for line in logged] == [row["prediction_id"] for row in answers]
    by_api = world.logged()[3:]
    assert [(line["id"], line["features"]) for line in logged] == [(line["id"], line["features"]) for line in by_api]


def test_rows_that_do_not_match_are_refused_beside_with_line_and_reasons(world):
    """Every fault of a row is named, and the other rows are answered."""
    bad = ("L-3,-1,1.5,web,maybe,x", f"{'L' * 201},5,1,web,,", "L-4,5,1,web,,,one more")
    report = score(world, drop(world, "march.csv", "\n".join([HEADER, ROWS[0], *bad, ROWS[1], ""])))
    assert (report.answered, report.refused) == (2, 3)
    refused = done(world, report, "refused")
    assert [row["line"] for row in refused] == ["3", "4", "5"]
    assert refused[0]["reason"] == ("amount is below the minimum 0; count is not whole; member is not of type boolean")
    assert "loan is no id" in refused[1]["reason"]
    assert "7 cells" in refused[2]["reason"]
    assert [row["id"] for row in refused] == ["L-3", "", ""]
    assert len(world.logged()) == 2


def test_an_event_that_comes_twice_logs_and_answers_once(world):
    """Also where another version is in production by then: what was logged first is the answer."""
    upload = drop(world, "march.csv", "\n".join([HEADER, *ROWS]))
    first = score(world, upload)
    answers = world.data.get(f"{first.done}.answers.csv").body
    write_version(world.stores, "v2", contract=CONTRACT, model=linear_model(CONTRACT, intercept=3.0))
    promote(world.stores, "v2")
    world.advance(3600)
    assert score(world, upload) == first
    assert world.data.get(f"{first.done}.answers.csv").body == answers
    assert len(world.logged()) == 3


def test_the_same_file_dropped_again_is_scored_again(world):
    """Next month's file may have this one's name, and this one's rows."""
    for _ in range(2):
        score(world, drop(world, "march.csv", "\n".join([HEADER, *ROWS])))
        world.advance(3600)
    assert len(world.logged()) == 6


@pytest.mark.parametrize("fail_at", range(1, 6))
@pytest.mark.parametrize("kept", [False, True])
def test_an_attempt_that_ends_anywhere_is_completed_by_the_next(world, fail_at: int, kept: bool):  # noqa: FBT001
    """Whichever write is its last: every row logged once, and answers that are those of the log."""
    rows = [f"L-{number},{number},1,web,true," for number in range(12_000)]
    upload = drop(world, "big.csv", "\n".join([HEADER, *rows]))
    write, left = world.data._write, [fail_at]

    def failing(key: str, body: bytes) -> str:
        left[0] -= 1
        if left[0] == 0 and not kept:
            raise StoreUnavailable("the process ends here")
        etag = write(key, body)
        if left[0] == 0:
            raise StoreUnavailable("the process ends here")
        return etag

    world.data._write = failing
    with pytest.raises(StoreUnavailable):
        score(world, upload)
    world.data._write = write
    report = score(world, upload)
    assert report.answered == 12_000
    answers = done(world, report, "answers")
    assert [row["loan"] for row in answers] == [f"L-{number}" for number in range(12_000)]
    assert [row["prediction_id"] for row in answers] == [line["prediction_id"] for line in world.logged()]


def test_a_log_that_is_down_answers_nothing(world):
    """A file can wait where a caller can't: the event is tried again."""
    upload = drop(world, "march.csv", "\n".join([HEADER, *ROWS]))
    world.data.create = down
    with pytest.raises(StoreUnavailable, match="tried again"):
        score(world, upload)
    assert list(world.data.keys("batches/done/")) == []


def down(key: str, body: bytes) -> str:
    raise StoreUnavailable("switched off")


def test_a_file_that_was_replaced_is_left_to_its_own_event(world):
    """An event names its bytes: what lies there now is scored once, by the event that tells of it; the loss is told."""
    first = drop(world, "march.csv", "\n".join([HEADER, *ROWS]))
    second = drop(world, "march.csv", "\n".join([HEADER, ROWS[0]]))
    report = score(world, first)
    assert "another file was written under this name" in done(world, report, "refused")[0]["reason"]
    assert score(world, second).answered == 1
    assert len(world.logged()) == 1


@pytest.mark.parametrize(
    ("name", "body", "told"),
    [
        ("a.csv", "loan,amount\nL-1,1\n", "lacks the column(s) count, channel, member"),
        ("a.csv", f"{HEADER},note\n{ROWS[0]},x\n", "note more than once"),
        ("a.png", "x", "none of what is read"),
        ("a.csv", "", "is empty"),
        ("a.csv", "\xff".encode("latin-1"), "UTF-8"),
    ],
)
def test_a_file_that_can_t_be_read_is_refused_whole(world, name: str, body: str | bytes, told: str):
    """The reason lies where the answers would; nothing is logged."""
    report = score(world, drop(world, name, body))
    assert told in report.reason
    assert told in done(world, report, "refused")[0]["reason"]
    assert json.loads(world.data.get(f"{report.done}.report.json").body)["reason"] == report.reason
    assert world.logged() == []


def test_a_file_that_is_too_large_isn_t_read(world):
    """Nor is it cut into parts; what to do is told."""
    upload = drop(world, "a.csv", HEADER).model_copy(update={"size": SPLIT.unfolded + 1})
    assert score(world, upload).reason.endswith("split it into parts, or have `selfheal score` do it")


def test_a_file_that_is_gone_is_told(world):
    """Its event comes, and nothing lies there."""
    upload = Upload(key="batches/incoming/a.csv", size=1, etag="x", uploaded_at=NOON)
    assert score(world, upload).reason.startswith("the file was gone before it was read")


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl", "a.csv.gz", "a.tsv"])
def test_every_kind_of_file_is_answered_alike(name: str):
    """Types as the file has them, names of aliases, columns of earlier answers given anew."""
    world = world_of()
    frame = pd.DataFrame(
        {
            "sum": [1.5, 20.0],
            "count": [3, 4],
            "channel": ["web", None],
            "member": [True, False],
            "probability": [0.1, 0.2],
        }
    )
    buffer = io.BytesIO()
    match name.split(".", 1)[1]:
        case "parquet":
            frame.to_parquet(buffer)
        case "jsonl":
            frame.to_json(buffer, orient="records", lines=True)
        case "csv.gz":
            frame.to_csv(buffer, index=False, compression="gzip")
        case _:
            frame.to_csv(buffer, index=False, sep="\t")
    report = score(world, drop(world, name, buffer.getvalue()))
    assert report.answered == 2
    answers = done(world, report, "answers")
    assert list(answers[0]) == [
        *("sum", "count", "channel", "member"),
        *("prediction_id", "probability", "prediction", "model_version"),
    ]
    expected = [world.predict(row).json["probability"] for row in AS_SENT]
    assert [float(row["probability"]) for row in answers] == expected


AS_SENT = (
    {"amount": 1.5, "count": 3, "channel": "web", "member": True},
    {"amount": 20, "count": 4, "channel": None, "member": False},
)


def test_the_contract_says_how_a_file_is_written():
    """Semicolons and decimal commas, as the training data had them."""
    european = CONTRACT.model_copy(update={"file": CONTRACT.file.model_copy(update={"separator": ";", "decimal": ","})})
    world = world_of(european)
    assert score(world, drop(world, "a.csv", "amount;count;channel;member\n1,5;3;web;true\n")).answered == 1
    assert [line["features"]["amount"] for line in world.logged()] == [1.5]


def test_the_sample_event_names_a_file():
    """Its key is decoded, its bytes are known by their ETag."""
    (upload,) = uploads(event("s3_batch_uploaded"))
    assert upload.key == "batches/incoming/march 2026/week #1.csv"
    assert upload.etag == "d41d8cd98f00b204e9800998ecf8427e"
    assert upload.uploaded_at - NOON < timedelta(days=2)
