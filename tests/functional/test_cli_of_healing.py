"""The commands around promotion, against a deployed environment on moto; and the gates offline, on a file."""

import json
from pathlib import Path

import boto3
import numpy as np
import pandas as pd
import pytest
from moto import mock_aws
from typer.testing import CliRunner

import selfheal as sh
from selfheal.composition import settings_of, stores_of
from selfheal.contract import parse_contract
from selfheal.errors import AlreadyInProduction, DataInvalid, HealingRefused, VersionUnknown
from selfheal.gates.offline import read_evidence
from selfheal.settings import Settings
from selfheal.tasks.binary.operating_point import best_f1_threshold
from selfheal.usecases.heal.lifecycle import sweep
from selfheal_tools.cli.app import app
from selfheal_tools.connection import EnvironmentMissing
from tests.support.healing import DAY, HOUR, START, FakeExecutions, FakeNotifications, healed_environment

CONTRACT = """
[model]
name = "small"
target = "y"
[features.age]
type = "number"
[[segments]]
feature = "age"
edges = [40]
"""


def selfheal(*arguments: str) -> str:
    """The output of a command that succeeds."""
    result = CliRunner().invoke(app, arguments, catch_exceptions=False, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def deployed(monkeypatch, tmp_path):
    """v1 in production of stage dev, v2 trained; the stores."""
    (tmp_path / "clock").write_text((START + 10 * DAY).isoformat())
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SELFHEAL_CLOCK_FILE": str(tmp_path / "clock"),
        "SELFHEAL_DATA_BUCKET": "data",
        "SELFHEAL_REGISTRY_BUCKET": "registry",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        for name in ("data", "registry"):
            boto3.client("s3").create_bucket(Bucket=name)
        machine = boto3.client("stepfunctions").create_state_machine(
            name="healing",
            definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::123456789012:role/machine",
        )["stateMachineArn"]
        deploy_stack(
            {
                "DataBucket": "data",
                "RegistryBucket": "registry",
                "Url": "https://x",
                "StateMachineArn": machine,
                "TopicArn": boto3.client("sns").create_topic(Name="people")["TopicArn"],
            }
        )
        stores, _ = healed_environment(stores=stores_of(settings_of(Settings)))
        yield stores


def deploy_stack(outputs: dict[str, str]) -> None:
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    boto3.client("cloudformation").create_stack(StackName="selfheal-dev-service", TemplateBody=json.dumps(template))


def test_a_forced_promotion_and_a_rollback_stand_in_the_history_with_name_and_reason(deployed):
    """promote --force, rollback, history: who did what, and why."""
    said = selfheal("promote", "v2", "--reason", "I know better", "--force")
    assert said.startswith("v2 replaced v1 in production: forced, without gates: I know better")
    assert selfheal("rollback", "--reason", "I did not").startswith("v1 is back in production instead of v2")
    decisions = json.loads(selfheal("history", "--json"))
    assert [(d["kind"], d["outcome"]) for d in decisions] == [
        ("bootstrap", "done"),
        ("promote", "done"),
        ("rollback", "done"),
    ]
    assert decisions[1]["actor"].startswith("cli:")
    assert decisions[1]["trigger"] == "forced"
    assert "I did not" in selfheal("history")
    assert deployed.pointer.read().pointer.version == "v1"


def test_a_version_of_a_stage_answers_data_frames(deployed):
    """By its name or as production; one that isn't there, and a stage that isn't, are told."""
    rows = pd.DataFrame({"x": [-2.0, 0.0, 2.0], "group": ["a", "b", "a"]})
    named, production = (sh.load(version, stage="dev").predict(rows) for version in ("v2", "production"))
    assert named["probability"].is_monotonic_increasing
    assert production["probability"].tolist() == sh.load("v1", stage="dev").predict(rows)["probability"].tolist()
    assert set(production["probability"]) == {production["probability"][0]}
    with pytest.raises(VersionUnknown):
        sh.load("v9", stage="dev")
    with pytest.raises(EnvironmentMissing, match="make deploy"):
        sh.load("v1", stage="prod")


def test_whoever_listens_hears_of_what_a_person_moved(deployed):
    """promote --force and rollback go to the topic too; where that is gone, the next monitoring run tells."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.list_topics()["Topics"][0]["TopicArn"]
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    selfheal("promote", "v2", "--reason", "I know better", "--force")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert "v2 replaced v1 in production: forced, without gates: I know better" in message["Body"]
    sns.delete_topic(TopicArn=topic)
    result = CliRunner().invoke(app, ["rollback", "--reason", "I did not"])
    assert result.output == "v1 is back in production instead of v2: I did not\n"
    assert "the next monitoring run carries it out or ends it, and tells" in str(result.exception)
    assert deployed.pointer.read().pointer.version == "v1"
    people = FakeNotifications()
    sweep(deployed, FakeExecutions(), START + 10 * DAY + HOUR, people)
    assert [body for _, body in people.sent] == ["v1 is back in production instead of v2: I did not"]


def test_a_promotion_without_force_is_refused_and_changes_nothing(deployed):
    """The gates are not bypassed by accident."""
    result = CliRunner().invoke(app, ["promote", "v2", "--reason", "why not"])
    assert result.exit_code == 2
    assert "bypasses all seven gates" in result.output
    assert len(deployed.ledger.decisions()) == 1


def test_promoting_what_is_in_production_is_refused(deployed):
    """There is nothing to do, and the ledger isn't filled with it."""
    with pytest.raises(AlreadyInProduction, match="v1"):
        selfheal("promote", "v1", "--reason", "again", "--force")
    assert len(deployed.ledger.decisions()) == 1


def test_the_kill_switch_is_one_command_and_is_seen(deployed):
    """pause, status, history, heal, resume: who paused what and why, and that nothing starts meanwhile."""
    said = selfheal("pause", "--reason", "an incident")
    assert "automatic promotion is paused since 2026-03-11 00:00 UTC by cli:" in said
    assert "an incident" in selfheal("status")
    assert "pause" in selfheal("history")
    with pytest.raises(HealingRefused, match="an incident"):
        selfheal("heal", "--reason", "now")
    assert selfheal("resume", "--reason", "mended") == "automatic promotion is on\n"
    assert "automatic" in selfheal("status")
    assert selfheal("resume", "--reason", "again") == "automatic promotion was on already\n"


def test_two_healings_at_once_one_is_refused_by_name(deployed):
    """The second `selfheal heal` is told which healing is under way."""
    healing = selfheal("heal", "--reason", "spring cleaning")
    assert "healing v1-0 has started" in healing
    with pytest.raises(HealingRefused, match="v1-0"):
        selfheal("heal", "--reason", "spring cleaning")


def test_a_healing_that_was_aborted_is_written_down_before_the_next_one_starts(deployed):
    """`selfheal heal` sweeps first: the aborted attempt is a `failed` decision, the new one the next attempt."""
    selfheal("heal", "--reason", "spring cleaning")
    client = boto3.client("stepfunctions")
    machine = client.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    client.stop_execution(executionArn=client.list_executions(stateMachineArn=machine)["executions"][0]["executionArn"])
    assert "healing v1-1 has started" in selfheal("heal", "--reason", "again")
    assert [(d.kind, d.execution) for d in deployed.ledger.decisions()[1:]] == [("failed", "v1-0")]


def test_show_tells_what_a_version_is(deployed):
    """Training, data, gates: as a table and as JSON."""
    selfheal("promote", "v2", "--reason", "I know better", "--force")
    shown = json.loads(selfheal("show", "v2", "--json"))
    assert shown["version"] == "v2"
    assert [decision["kind"] for decision in shown["decisions"]] == ["promote"]
    assert "I know better" in selfheal("show", "v2")


def test_verify_says_how_much_it_recomputed(deployed):
    """Two entries, two versions with three artefacts each."""
    assert "2 ledger entries, 2 versions with 6 artefacts" in selfheal("verify")


# The gates offline


def evidence_csv(n: int = 1000, *, better: bool = True, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    slopes = (0.2, 2.0) if better else (2.0, 0.2)
    return pd.DataFrame(
        {
            "label": (rng.random(n) < 1 / (1 + np.exp(-2 * x))).astype(int),
            "production_probability": 1 / (1 + np.exp(-slopes[0] * x)),
            "shadow_probability": 1 / (1 + np.exp(-slopes[1] * x)),
            "age": rng.uniform(20, 60, n),
        }
    )


def judge_file(folder: Path, frame: pd.DataFrame) -> tuple[int, dict]:
    (folder / "contract.toml").write_text(CONTRACT)
    frame.to_csv(folder / "evidence.csv", index=False)
    arguments = ["gates", "--contract", "contract.toml", "--evidence", "evidence.csv", "--json", "verdict.json"]
    paths = [str(folder / word) if "." in word else word for word in arguments]
    result = CliRunner().invoke(app, paths, catch_exceptions=False)
    return result.exit_code, json.loads((folder / "verdict.json").read_text())


@pytest.mark.parametrize(("better", "code", "verdict"), [(True, 0, "promote"), (False, 3, "reject")])
def test_the_exit_code_is_the_verdict(tmp_path: Path, better: bool, code: int, verdict: str):  # noqa: FBT001
    """0 promotes, 3 rejects; the file holds all seven gates."""
    exit_code, written = judge_file(tmp_path, evidence_csv(better=better))
    assert (exit_code, written["verdict"], len(written["gates"])) == (code, verdict, 7)


def test_rows_without_a_label_count_against_the_coverage(tmp_path: Path):
    """Three of four labels are missing: 25 % covered, rejected for that alone."""
    frame = evidence_csv(4000)
    frame["label"] = frame["label"].astype("Int64").mask(np.arange(4000) % 4 != 0)
    code, written = judge_file(tmp_path, frame)
    assert code == 3
    assert [gate["gate"] for gate in written["gates"] if not gate["passed"]] == ["label_coverage"]


def test_a_file_without_the_segment_column_is_rejected(tmp_path: Path):
    """Missing evidence fails the gate that needs it."""
    code, written = judge_file(tmp_path, evidence_csv().drop(columns="age"))
    assert code == 3
    assert [gate["gate"] for gate in written["gates"] if not gate["passed"]] == ["segments"]


def test_given_predictions_are_taken_as_they_are(tmp_path: Path):
    """Operating points of the models' own, where the file has their answers."""
    frame = evidence_csv(50).assign(production_prediction=1, shadow_prediction=0)
    rows, _ = read_evidence(written(tmp_path, frame), parse_contract(CONTRACT), START)
    assert rows.production_prediction.tolist() == [1] * 50
    assert rows.shadow_prediction.tolist() == [0] * 50


def test_every_fault_of_a_file_is_named(tmp_path: Path):
    """A missing column, a probability above 1, labels that are none, texts among predictions and ages: all at once."""
    frame = evidence_csv(10).drop(columns="shadow_probability")
    frame.loc[0, "production_probability"] = 1.5
    frame["label"] = 0.5
    frame["age"] = "old"
    frame["shadow_prediction"] = "no"
    with pytest.raises(DataInvalid) as raised:
        read_evidence(written(tmp_path, frame), parse_contract(CONTRACT), START)
    assert sorted(raised.value.faults) == [
        "age: 10 value(s) not of type number; the first is 'old' in line 2",
        "column 'shadow_probability' is missing from evidence.csv",
        "label: 10 value(s) not whole; the first is '0.5' in line 2",
        "production_probability: 1 value(s) above the maximum 1; the first is '1.5' in line 2",
        "shadow_prediction: 10 value(s) not of type integer; the first is 'no' in line 2",
    ]


@pytest.mark.parametrize("region", ["NA", "null", "None", "nan", "missing", "NOAM"])
def test_a_group_is_judged_whatever_it_is_called(tmp_path: Path, region: str):
    """A harmed segment called NA, as North America is, rejects as any other does; rows without a region are another."""
    contract = CONTRACT.replace('type = "number"', 'type = "category"\nnullable = true').replace("edges = [40]", "")
    frame = evidence_csv(1200)
    kind = np.arange(1200) % 3
    frame["age"] = np.where(kind == 0, "EU", np.where(kind == 1, "", region))
    harmed = (kind == 1) | (kind == 0)
    other = frame["shadow_probability"].where(harmed, 1 - frame["shadow_probability"])
    frame["shadow_probability"] = other
    (tmp_path / "contract.toml").write_text(contract)
    path = written(tmp_path, frame)
    rows, _ = read_evidence(path, parse_contract(contract), START)
    assert rows.segments["age"].isna().sum() == 400
    done = CliRunner().invoke(
        app, ["gates", "--contract", str(tmp_path / "contract.toml"), "--evidence", str(path)], env={"COLUMNS": "400"}
    )
    assert done.exit_code == 3
    assert f"namely: age {region}\n" in done.output


@pytest.mark.parametrize("body", [b"", b"\x89PNG\r\n\x1a\n\xff\xfe"])
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, body: bytes):
    """Whatever it is, the message names the file."""
    (tmp_path / "evidence.csv").write_bytes(body)
    with pytest.raises(DataInvalid, match=r"evidence\.csv"):
        read_evidence(tmp_path / "evidence.csv", parse_contract(CONTRACT), START)


def test_the_best_threshold_worked_by_hand():
    """From 0.4 on, two of three predicted are right and none is missed: F1 0.8."""
    labels = np.array([1, 0, 1, 0], dtype=np.int8)
    assert best_f1_threshold(labels, np.array([0.9, 0.5, 0.4, 0.1])) == pytest.approx(0.25)
    assert best_f1_threshold(np.zeros(4, dtype=np.int8), np.ones(4)) == 0.5


def written(folder: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(folder / "evidence.csv", index=False)
    return folder / "evidence.csv"
