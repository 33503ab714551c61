"""`selfheal score`: a file's rows answered by the API, each logged once, however often the command has to be run."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from selfheal.contract import parse_contract
from selfheal.errors import FileUnreadable
from selfheal_tools.scoring.asking import PAUSES, ScoringStopped, ask
from selfheal_tools.scoring.progress import OutputTaken, Progress
from selfheal_tools.scoring.run import PART_ROWS, score_file
from selfheal_tools.signed_api import CallFailed
from tests.support.serving import World, linear_model, promote, write_version

CONTRACT = parse_contract("""
[model]
name = "small"
target = "y"
id_column = "loan"
[features.amount]
type = "number"
minimum = 0
[features.channel]
type = "category"
nullable = true
[features.member]
type = "boolean"
nullable = true
""")
# As production may have it by the time: 7 isn't allowed any more.
STRICTER = CONTRACT.model_copy(
    update={"features": {**CONTRACT.features, "amount": CONTRACT.features["amount"].model_copy(update={"maximum": 6})}}
)


class Served:
    """The API in this process. `fails`: what becomes of the next requests, None: answered, and the answer is lost."""

    def __init__(self) -> None:
        self.world = World(check_seconds=0)
        self.produce("v1")
        self.sent = 0
        self.fails: list[int | None] = []

    def produce(self, version: str, contract=CONTRACT) -> None:
        write_version(self.world.stores, version, contract=contract, model=linear_model(contract))
        promote(self.world.stores, version)

    def send(self, path: str, payload: bytes | None, headers: Mapping[str, str]) -> tuple[int, str]:
        self.sent += 1
        failure = self.fails.pop(0) if self.fails else 200
        if failure not in (200, None):
            return failure, '{"message": "not now"}'
        assert payload is not None
        reply = self.world.call("POST", path, payload.decode(), dict(headers))
        if failure is None:
            raise CallFailed("the connection broke")
        return reply.status, reply.text

    def score(self, file: Path, out: Path) -> Progress:
        return score_file(file, out, CONTRACT, self, sleep=lambda _: None)


@pytest.fixture
def served() -> Served:
    return Served()


def write(folder: Path, rows: int, name: str = "rows.csv", bad: tuple[int, ...] = ()) -> Path:
    file = folder / name
    lines = [f'L-{row},{-1 if row in bad else row},web,true,"note, {row}"' for row in range(rows)]
    file.write_text("\n".join(["loan,amount,channel,member,note", *lines, ""]), encoding="utf-8")
    return file


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_answers_are_written_beside_the_rows(served, tmp_path: Path):
    """Every column of the file, then the answer; ids are logged; nothing else is left behind."""
    out = tmp_path / "answers.csv"
    done = served.score(write(tmp_path, 2_500), out)
    assert (done.answered, done.refused, done.parts) == (2_500, 0, 3)
    answers = read(out)
    logged = {line["prediction_id"]: line for line in served.world.logged()}
    assert [row["loan"] for row in answers] == [f"L-{row}" for row in range(2_500)]
    assert answers[7]["note"] == "note, 7"
    assert len(logged) == 2_500
    assert all(logged[row["prediction_id"]]["id"] == row["loan"] for row in answers)
    assert all(logged[row["prediction_id"]]["probability"] == float(row["probability"]) for row in answers)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.csv", "rows.csv"]


def test_rows_that_do_not_match_are_listed_beside(served, tmp_path: Path):
    """With line, id and reason; the others are answered. A row of another length is one of them."""
    file = write(tmp_path, 1_200, bad=(3, 1_100))
    file.write_text(file.read_text() + "L-x,1,web,true,note,too many\n")
    done = served.score(file, tmp_path / "answers.csv")
    assert (done.answered, done.refused) == (1_198, 3)
    refused = {row["line"]: row for row in read(tmp_path / "answers.refused.csv")}
    assert {line: row["id"] for line, row in refused.items()} == {"5": "L-3", "1102": "L-1100", "1202": ""}
    assert refused["5"]["reason"] == "amount is below the minimum 0"
    assert "6 cells" in refused["1202"]["reason"]


@pytest.mark.parametrize("ends_at", range(1, 5))
@pytest.mark.parametrize("answered", [False, True])
def test_a_run_that_ends_is_gone_on_with(served, tmp_path: Path, ends_at: int, answered: bool):  # noqa: FBT001
    """Before or after the API has answered: nothing is asked twice that is written, and each row is logged once."""
    file, out = write(tmp_path, 3_300, bad=(1_500,)), tmp_path / "answers.csv"
    again = len(PAUSES) + 1
    served.fails = [200] * (ends_at - 1) + [None if answered else 503] * again
    with pytest.raises(ScoringStopped, match="goes on from where this one ended"):
        served.score(file, out)
    assert not out.exists()
    before = served.sent
    done = served.score(file, out)
    assert (done.answered, done.refused) == (3_299, 1)
    assert served.sent - before == 4 - (ends_at - 1)
    answers = read(out)
    assert [row["loan"] for row in answers] == [f"L-{row}" for row in range(3_300) if row != 1_500]
    assert sorted(row["prediction_id"] for row in answers) == sorted(p["prediction_id"] for p in served.world.logged())


def test_a_part_that_was_half_written_is_written_anew(served, tmp_path: Path):
    """The process was killed in the middle of a write: what no note counts is cut off."""
    file, out = write(tmp_path, 2_100), tmp_path / "answers.csv"
    served.fails = [200, *[503] * (len(PAUSES) + 1)]
    with pytest.raises(ScoringStopped):
        served.score(file, out)
    with (tmp_path / "answers.csv.part").open("a", encoding="utf-8") as half:
        half.write("L-1000,1000,w")
    assert served.score(file, out).answered == 2_100
    assert [row["loan"] for row in read(out)] == [f"L-{row}" for row in range(2_100)]


def test_short_troubles_are_waited_out(served, tmp_path: Path):
    """Throttled, down, or a lost answer: asked again under the same key, and logged once."""
    served.fails = [429, 503, None, 502]
    assert served.score(write(tmp_path, 10), tmp_path / "answers.csv").answered == 10
    assert (served.sent, len(served.world.logged())) == (5, 10)


def test_a_row_that_the_api_refuses_keeps_no_other_back(served, tmp_path: Path):
    """Production's contract became stricter since it was read: the API's own words are the reason."""
    served.produce("v2", STRICTER)
    done = served.score(write(tmp_path, 9), tmp_path / "answers.csv")
    assert (done.answered, done.refused) == (7, 2)
    refused = read(tmp_path / "answers.refused.csv")
    assert [row["line"] for row in refused] == ["9", "10"]
    assert "amount Input should be less than or equal to 6" in refused[0]["reason"]


def test_a_refusal_of_all_is_told(served, tmp_path: Path):
    """Such as a caller who may not call: with what the API says, and nothing asked again."""
    served.fails = [403]
    with pytest.raises(ScoringStopped, match="403: not now"):
        served.score(write(tmp_path, 9), tmp_path / "answers.csv")
    assert served.sent == 1


def test_predictions_that_are_not_logged_are_counted(served, tmp_path: Path):
    """The answer says so, and the end of the command does."""
    served.world.predict({"amount": 1, "channel": None, "member": None})
    served.world.data.down = True
    assert served.score(write(tmp_path, 9), tmp_path / "answers.csv").unlogged == 9


def test_what_is_there_is_not_overwritten(served, tmp_path: Path):
    """Answers of before, or those of another file that are half done."""
    out, other = tmp_path / "answers.csv", tmp_path / "other.csv"
    served.score(write(tmp_path, 9), out)
    with pytest.raises(OutputTaken, match="is there already"):
        served.score(write(tmp_path, 9), out)
    served.fails = [200, 403]
    with pytest.raises(ScoringStopped):
        served.score(write(tmp_path, PART_ROWS + 1), other)
    with pytest.raises(OutputTaken, match="another file"):
        served.score(write(tmp_path, 8), other)


def test_a_file_without_a_feature_is_refused_before_anything_is_asked(served, tmp_path: Path):
    """With the names of what is missing."""
    file = tmp_path / "rows.csv"
    file.write_text("loan,amount\nL-1,1\n")
    with pytest.raises(FileUnreadable, match="lacks the column"):
        served.score(file, tmp_path / "answers.csv")
    assert served.sent == 0


def test_a_file_without_rows_has_no_answers(served, tmp_path: Path):
    """A header above nothing."""
    done = served.score(write(tmp_path, 0), tmp_path / "answers.csv")
    assert (done.answered, read(tmp_path / "answers.csv")) == (0, [])


class Wide:
    """Counts the bytes that it is sent, and answers."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def send(self, _path: str, payload: bytes | None, _headers: Mapping[str, str]) -> tuple[int, str]:
        assert payload is not None
        self.sizes.append(len(payload))
        rows: list[dict[str, Any]] = json.loads(payload)["rows"]
        predictions = [{"prediction_id": row["n"], "probability": 0.5, "prediction": 1} for row in rows]
        return 200, json.dumps({"model_version": "v1", "logged": True, "predictions": predictions})


def test_a_part_that_is_too_large_for_one_request_is_sent_in_several():
    """Rows of a thousand long texts; their order stays."""
    api = Wide()
    asked = ask(api, [{"n": number, "text": "x" * 10_000} for number in range(1_000)], "key")
    assert max(api.sizes) < 5_000_000
    assert len(api.sizes) > 1
    assert [asked.predictions[row]["prediction_id"] for row in range(1_000)] == list(range(1_000))
