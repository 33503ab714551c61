"""The state machine of large hours, executed by moto's interpreter over buckets of moto's."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto import mock_aws

import hour_roll_up.handler
from infra.local.moto_adaptations import (
    executing_state_machines,
    failing_maps,
    functions_run_by,
    immediate_retries,
    quiet_server,
)
from selfheal.errors import StoreUnavailable
from selfheal.stores.collection import Stores
from selfheal.stores.large_hours import HourStateMachine
from selfheal.stores.s3 import S3Bucket
from tests.functional.test_large_hours import an_hour, content, deliver, lines_of, parts_of
from tests.support.monitoring import START

DEFINITION = Path(__file__).parents[2] / "infra" / "cloud" / "hour_roll_up.asl.json"
REGION = "eu-central-1"
NUMBERS = itertools.count()


class Machine:
    """The state machine over one data bucket; `before` is called with each event, and may fail."""

    def __init__(self, arn: str, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arn, self.calls = arn, list[str]()
        self.before: Callable[[dict[str, Any]], object] = lambda _: None
        self.client = boto3.client("stepfunctions", REGION)
        memory, self.made = an_hour()
        s3, self.function = boto3.client("s3", REGION), function
        self.stores = Stores(S3Bucket(s3, "data"), memory.registry_bucket)
        for item in s3.list_objects_v2(Bucket="data").get("Contents", []):
            s3.delete_object(Bucket="data", Key=item["Key"])
        for key, body in memory.data.get_many(memory.data.keys("")):
            self.stores.data.create(key, body)
        monkeypatch.setattr(hour_roll_up.handler, "_stores", lambda: self.stores)

    def now(self, function: str, event: Any) -> tuple[str, bool]:
        assert function == self.function
        self.calls.append(event["step"])
        try:
            self.before(event)
            return json.dumps(hour_roll_up.handler.handler(event, None)), False
        except Exception as error:  # noqa: BLE001 - as the Lambda runtime does
            return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}), True

    def later(self, function: str, event: Any) -> None:
        raise NotImplementedError

    def run(self) -> str:
        """Have the first hour rolled up; the execution's final status."""
        moment = START.replace(year=START.year + 1 + next(NUMBERS))
        for _ in range(2):
            HourStateMachine(self.client, self.arn).start(START, moment)
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            newest = self.client.list_executions(stateMachineArn=self.arn)["executions"][0]
            if newest["status"] != "RUNNING":
                return newest["status"]
            time.sleep(0.02)
        pytest.fail("the execution didn't end")


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[str, str]]:
    """ARN of the state machine and name of its function."""
    with (
        pytest.MonkeyPatch.context() as patch,
        mock_aws(),
        executing_state_machines(),
        immediate_retries(),
        failing_maps(),
    ):
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "local")
        role = boto3.client("iam", REGION).create_role(RoleName="r", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        function = boto3.client("lambda", REGION).create_function(
            FunctionName="f",
            Runtime="python3.13",
            Role=role,
            Handler="x.y",
            Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        )
        boto3.client("s3", REGION).create_bucket(
            Bucket="data", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        filled = {"FunctionArn": function["FunctionArn"], "DataBucket": "data", "Partition": "aws"}
        definition = DEFINITION.read_text(encoding="utf-8")
        for name, value in filled.items():
            definition = definition.replace(f"${{{name}}}", value)
        states = boto3.client("stepfunctions", REGION)
        made = states.create_state_machine(name="hours", definition=definition, roleArn=role)
        yield made["stateMachineArn"], "f"


@pytest.fixture
def machine(account: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setattr("selfheal.hours.size.PART_OBJECTS", 3)
    monkeypatch.setattr("selfheal.hours.size.LARGE_OBJECTS", 8)
    found = Machine(*account, monkeypatch)
    with quiet_server(), functions_run_by(found):
        yield found


def predictions(machine: Machine, *more: list[list[Any]]) -> list[str]:
    return sorted(row["prediction_id"] for request in [*machine.made, *more] for row in request)


def held(machine: Machine) -> list[str]:
    return sorted(key for part in parts_of(machine.stores).values() for key in part)


def test_an_hour_is_rolled_up_part_by_part_and_once(machine: Machine):
    """Started twice it runs once; started when all is done it finds nothing to do."""
    assert machine.run() == "SUCCEEDED"
    assert machine.calls == ["plan", *["part"] * 4, "reduce"]
    assert held(machine) == predictions(machine)
    before = content(machine.stores)
    assert machine.run() == "SUCCEEDED"
    assert machine.calls[6:] == ["plan"]
    assert content(machine.stores) == before


@pytest.mark.parametrize("step", ["plan", "part", "reduce"])
def test_a_step_whose_store_is_away_for_a_moment_is_taken_again(machine: Machine, step: str):
    """After its work was done or before: the hour comes out whole."""
    failures = iter([True, False, True])

    def away_twice(event: dict[str, Any]) -> None:
        if event["step"] == step and (is_done := next(failures, None)) is not None:
            if is_done:
                hour_roll_up.handler.handler(event, None)
            raise StoreUnavailable("S3 didn't answer")

    machine.before = away_twice
    assert machine.run() == "SUCCEEDED"
    assert held(machine) == predictions(machine)


def test_one_part_that_fails_fails_the_execution_and_the_next_one_goes_on(machine: Machine):
    """An object can't be read: the hour isn't rolled up at all, until it is put right; then no part is done twice."""
    key = next(iter(machine.stores.data.keys("predictions/")))
    whole = machine.stores.data.get(key).body
    machine.stores.data.put(key, whole[:40])
    assert machine.run() == "FAILED"
    assert "reduce" not in machine.calls
    assert not machine.stores.rollups.hours_between(START, START)
    assert machine.stores.rollups.find(START) is None
    machine.stores.data.put(key, whole)
    assert machine.run() == "SUCCEEDED"
    assert held(machine) == predictions(machine)


def test_much_that_came_meanwhile_is_planned_and_rolled_up_too(machine: Machine):
    """As many objects again are logged while the parts are at work: a second plan has them."""
    rng, late = np.random.default_rng(8), list[Any]()

    def flood(event: dict[str, Any]) -> None:
        if event["step"] == "reduce" and not late:
            late.extend(lines_of(START, rng) for _ in range(9))
            for request in late:
                deliver(machine.stores, request)

    machine.before = flood
    assert machine.run() == "SUCCEEDED"
    assert machine.calls == ["plan", *["part"] * 4, "reduce", "plan", *["part"] * 3, "reduce"]
    assert held(machine) == predictions(machine, *late)
