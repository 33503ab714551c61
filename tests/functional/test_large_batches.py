"""A file of rows beyond one function's limits: its parts are answered as the whole would be, each row once."""

import csv
import gzip
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

import selfheal.usecases.serve.split_batch
from selfheal.errors import StoreUnavailable
from selfheal.files.limits import SPLIT, UPLOAD
from selfheal.prefixes import BATCHES_PARTS
from selfheal.records.batches import BatchReport
from selfheal.records.labels import Upload
from selfheal.usecases.serve.score_batch import score_batch
from tests.functional.test_score_batch import CONTRACT, HEADER, done, drop, world_of
from tests.support.serving import World, linear_model, promote, write_version

SMALL = replace(UPLOAD, rows=100)


def many_rows(rows: int) -> str:
    """Some refused by their values, some torn, one with two lines."""
    found = [HEADER]
    for row in range(rows):
        amount = "-1" if row % 17 == 0 else f"{row}.5"
        note = '"two\nlines"' if row % 50 == 3 else "x"
        found.append(f"L-{row},{amount},{row % 9},web,{'true' if row % 2 else 'false'},{note}")
        if row % 90 == 5:
            found.append("torn,1")
    return "\n".join(found) + "\n"


def as_parquet(text: str) -> bytes:
    return pd.read_csv(io.StringIO(text)).to_parquet()


def score(world: World, upload: Upload) -> BatchReport:
    return score_batch(world.stores, world.model.current(world.now), upload, SMALL)


def answer_parts(world: World) -> list[BatchReport]:
    """What the events of parts lead to, an hour after the file came."""
    at = world.now + timedelta(hours=1)
    stored = [(key, world.data.get(key)) for key in world.data.keys(BATCHES_PARTS)]
    told = [Upload(key=key, size=len(o.body), etag=o.etag.strip('"'), uploaded_at=at) for key, o in stored]
    return [score(world, upload) for upload in told]


def joined(world: World, reports: list[BatchReport]) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Answers without their ids, and refused rows, in the order of the parts."""
    answers = [row for report in reports for row in done(world, report, "answers")]
    refused = [row for report in reports for row in done(world, report, "refused")]
    left_out = {"prediction_id"}
    return (
        [tuple(cell for name, cell in row.items() if name not in left_out) for row in answers],
        [tuple(row.values()) for row in refused],
    )


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("march.csv", str.encode),
        ("march.csv.gz", lambda text: gzip.compress(text.encode(), mtime=0)),
        ("march.parquet", lambda text: as_parquet(text.replace("torn,1\n", ""))),
    ],
)
def test_a_large_file_is_answered_as_the_whole_would_be(name: str, write: Callable[[str], bytes]):
    """The same answers to the same cells, the same rows refused with their lines of the file; each logged once."""
    body, large, small = write(many_rows(600)), world_of(), world_of()
    whole = score(large, drop(large, name, body))
    parts = answer_parts(large)
    one = score_batch(small.stores, small.model.current(small.now), drop(small, name, body))
    assert joined(large, parts) == joined(small, [one])
    assert len(parts) == len(whole.parts) == 8
    assert (whole.answered, sum(part.answered for part in parts)) == (0, one.answered)
    assert sum(part.refused for part in parts) == one.refused > 30
    assert len(large.logged()) == len(small.logged()) == one.answered
    assert all(part.done.startswith(f"{told}/") for part, told in zip(parts, whole.parts, strict=True))
    assert BatchReport.model_validate_json(large.data.get(f"{whole.done}.report.json").body) == whole


def test_an_attempt_that_is_broken_off_after_any_write_is_completed_by_the_next():
    """Parts are created once, so that their events come once; an event of the whole that comes twice adds nothing."""
    wanted = world_of()
    score(wanted, drop(wanted, "a.csv", many_rows(240)))
    expected = list(wanted.data.keys("batches/"))
    for written in range(len(expected) - 1):
        world = world_of()
        upload = drop(world, "a.csv", many_rows(240))
        fail_after(world, written)
        with pytest.raises(StoreUnavailable):
            score(world, upload)
        world.data.__dict__.pop("create"), world.data.__dict__.pop("put")
        score(world, upload)
        assert list(world.data.keys("batches/")) == expected
        before = {key: world.data.get(key).body for key in world.data.keys("")}
        score(world, upload)
        assert {key: world.data.get(key).body for key in world.data.keys("")} == before


def fail_after(world: World, writes: int) -> None:
    left = [writes]

    def failing(write: Callable[[str, bytes], str]) -> Callable[[str, bytes], str]:
        def call(key: str, body: bytes) -> str:
            if not left[0]:
                raise StoreUnavailable(key)
            left[0] -= 1
            return write(key, body)

        return call

    world.data.create, world.data.put = failing(world.data.create), failing(world.data.put)  # type: ignore[method-assign]


def test_a_file_that_is_written_over_or_read_otherwise_is_told():
    """Between two attempts: another file is left to its own event, another contract's parts would answer rows twice."""
    world = world_of()
    upload = drop(world, "a.csv", many_rows(240))
    score(world, upload)
    drop(world, "a.csv", many_rows(120))
    assert "another file was written under this name" in score(world, upload).reason
    drop(world, "a.csv", many_rows(240))
    contract = CONTRACT.model_copy(update={"file": CONTRACT.file.model_copy(update={"encoding": "utf-16"})})
    write_version(world.stores, "v2", contract=contract, model=linear_model(contract))
    promote(world.stores, "v2")
    parts = list(world.data.keys(BATCHES_PARTS))
    assert score(world, upload).reason
    assert list(world.data.keys(BATCHES_PARTS)) == parts
    key, *_ = parts
    world.data.create(f"{key.rpartition('/')[0]}/0001-of-0001-other", b"")
    promote(world.stores, "v1")
    assert "changed while the file was cut" in score(world, upload).reason


@pytest.mark.parametrize(
    ("name", "rows", "told"),
    [
        ("a.jsonl", 300, "JSON lines of this size aren't cut into parts"),
        ("a.csv", 3_000, "more than 2,000 rows: split it into parts, or have `selfheal score` do it"),
        ("a.csv", 0, "lacks the column(s) amount"),
    ],
)
def test_what_can_t_be_cut_is_refused_whole(monkeypatch, name: str, rows: int, told: str):
    """With what to do, and before any part is written."""
    monkeypatch.setattr(selfheal.usecases.serve.split_batch, "SPLIT", replace(SPLIT, rows=2_000))
    world = world_of()
    body = '{"amount": 1}\n' * rows if name == "a.jsonl" else many_rows(rows)
    if not rows:
        body = many_rows(300).replace("amount", "other")
    assert told in score(world, drop(world, name, body)).reason
    assert list(world.data.keys(BATCHES_PARTS)) == []


def test_a_long_name_has_room_for_its_parts():
    """S3 takes keys of 1,024 bytes."""
    world = world_of()
    whole = score(world, drop(world, f"{'é' * 500}.csv", many_rows(240)))
    answer_parts(world)
    assert len(whole.parts) == 3
    assert max(len(key.encode()) for key in world.data.keys("")) <= 1024
    reports = [key for key in world.data.keys("batches/done/") if key.endswith(".report.json")]
    assert len(reports) == 4


def test_the_parts_of_a_sheet_are_no_larger_than_others():
    """A sheet is one batch of rows: it is cut in its middle."""
    rows = list(csv.reader(io.StringIO(many_rows(240).replace("torn,1\n", ""))))
    buffer = io.BytesIO()
    pd.DataFrame(rows[1:], columns=rows[0]).to_feather(buffer)
    world = world_of()
    assert len(score(world, drop(world, "a.feather", buffer.getvalue())).parts) == 3
    assert [len(done(world, part, "answers")) + part.refused for part in answer_parts(world)] == [80, 80, 80]
