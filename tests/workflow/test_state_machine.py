"""The state machine, executed by moto's interpreter: every path ends in a decision and a notification."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.local.clock import SimulatedClock
from infra.local.moto_adaptations import executing_state_machines, functions_run_by, immediate_retries, simulated_waits
from selfheal.errors import StoreUnavailable
from selfheal.healing_state import result_of
from selfheal.records.healing import Healing, LabelProgress, Verdict
from selfheal.records.ledger import Decision
from selfheal.usecases.await_labels import await_labels
from selfheal.usecases.conclude import conclude
from selfheal.usecases.evaluate_gates import evaluate_gates
from tests.support.healing import DAY, START, healed_environment, traffic, trained

DEFINITION = Path(__file__).parents[2] / "infra" / "cloud" / "state_machine.asl.json"
REGION = "eu-central-1"
ACCOUNT = "123456789012"
FUNCTIONS = {
    "ShadowTrainingArn": "shadow_training",
    "LabelWaitArn": "label_wait",
    "GateEvaluationArn": "gate_evaluation",
    "PromotionArn": "promotion",
}
NONSENSE = ["a string", None, 7, [], {}, {"outcome": 3, "ready": "yes", "wait_seconds": -1, "sentence": None}]

type Function = Callable[[dict[str, Any]], Any]


class Workflow:
    """The four functions in this process, each replaceable; the state machine runs them."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.stores, self.healing = healed_environment()
        self.clock = clock
        self.calls: list[str] = []
        self.functions: dict[str, Function] = {
            "shadow_training": lambda _: trained().model_dump(mode="json"),
            "label_wait": lambda event: await_labels(self.stores, *self._steps(event), clock.now).model_dump(
                mode="json"
            ),
            "gate_evaluation": lambda event: evaluate_gates(self.stores, *self._steps(event), clock.now).model_dump(
                mode="json"
            ),
            "promotion": lambda event: conclude(
                self.stores, Healing.model_validate(event["healing"]), result_of(event), clock.now
            ).model_dump(mode="json"),
        }

    def now(self, function: str, event: Any) -> tuple[str, bool]:
        self.calls.append(function)
        try:
            return json.dumps(self.functions[function](event)), False
        except Exception as error:  # noqa: BLE001 - as the Lambda runtime does
            return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}), True

    def later(self, function: str, event: Any) -> None:
        raise NotImplementedError

    def run(self, given: dict[str, Any] | None = None) -> str:
        """Execute the state machine; its final status."""
        machine = boto3.client("stepfunctions", REGION)
        self.topic = boto3.client("sns", REGION).create_topic(Name="people")["TopicArn"]
        self.queue = _subscribed_queue(self.topic)
        started = machine.start_execution(
            stateMachineArn=self._state_machine(machine),
            name=self.healing.execution,
            input=json.dumps(given or {"healing": self.healing.model_dump(mode="json")}),
        )
        return self._ended(machine, started["executionArn"])

    def decisions(self) -> list[Decision]:
        return [known for known in self.stores.ledger.decisions() if known.kind != "bootstrap"]

    def messages(self) -> list[tuple[str, str]]:
        received = boto3.client("sqs", REGION).receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        bodies = [json.loads(message["Body"]) for message in received.get("Messages", [])]
        return [(body["Subject"], body["Message"]) for body in bodies]

    def _steps(self, event: dict[str, Any]) -> tuple[Healing, Any]:
        return Healing.model_validate(event["healing"]), type(trained()).model_validate(event["training"])

    def _state_machine(self, machine: Any) -> str:
        arns = {key: _function(name) for key, name in FUNCTIONS.items()} | {"TopicArn": self.topic}
        definition = DEFINITION.read_text(encoding="utf-8")
        for key, arn in arns.items():
            definition = definition.replace(f"${{{key}}}", arn)
        role = f"arn:aws:iam::{ACCOUNT}:role/machine"
        return machine.create_state_machine(name="healing", definition=definition, roleArn=role)["stateMachineArn"]

    def _ended(self, machine: Any, execution: str) -> str:
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            status = machine.describe_execution(executionArn=execution)["status"]
            if status != "RUNNING":
                return status
            if waits := self.clock.pending_waits():
                self.clock.set(waits[0])
            time.sleep(0.005)
        pytest.fail("the execution didn't end")


def _function(name: str) -> str:
    role = boto3.client("iam", REGION)
    arn = role.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    created = boto3.client("lambda", REGION).create_function(
        FunctionName=name, Runtime="python3.13", Role=arn, Handler="x.y", Code={"ZipFile": b"PK\x05\x06" + bytes(18)}
    )
    return created["FunctionArn"]


def _subscribed_queue(topic: str) -> str:
    sqs = boto3.client("sqs", REGION)
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("sns", REGION).subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return queue


@pytest.fixture
def workflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workflow]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    clock = SimulatedClock(tmp_path / "clock", START + 10 * DAY)
    made = Workflow(clock)
    with mock_aws(), executing_state_machines(), immediate_retries(), simulated_waits(clock), functions_run_by(made):
        yield made


def _fail(error: Exception) -> Function:
    def function(_: dict[str, Any]) -> Any:
        raise error

    return function


def assert_failed(workflow: Workflow, because: str) -> None:
    """One failed decision with its reason; production untouched; people told the same."""
    (decision,) = workflow.decisions()
    assert (decision.kind, decision.execution) == ("failed", "v1-0")
    assert because in decision.reason
    assert workflow.stores.pointer.read().pointer.version == "v1"
    ((subject, message),) = workflow.messages()
    assert subject == "selfheal: failed v1"
    assert because in message


def test_a_better_shadow_model_is_promoted(workflow: Workflow):
    """Enough labels and a model that is right about x: promoted, and people are told."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=1000)
    assert workflow.run() == "SUCCEEDED"
    (decision,) = workflow.decisions()
    assert (decision.kind, decision.version, len(decision.gates)) == ("promote", "v2", 7)
    assert workflow.stores.pointer.read().pointer.version == "v2"
    ((subject, message),) = workflow.messages()
    assert subject == "selfheal: promote v1"
    assert message.startswith("v2 replaced v1 in production")


def test_waits_until_the_labels_have_come(workflow: Workflow):
    """Labels that come after two hours are looked for every 15 minutes, and end the wait early."""
    ids = traffic(workflow.stores, since=START + 9 * DAY, rows=1000, label_delay=None)
    truth = {"ready": False}
    look = workflow.functions["label_wait"]

    def labels_come_later(event: dict[str, Any]) -> Any:
        if workflow.clock.now >= START + 10 * DAY + timedelta(hours=2) and not truth["ready"]:
            truth["ready"] = True
            traffic(workflow.stores, since=START + 9 * DAY, rows=1000)
        return look(event)

    workflow.functions["label_wait"] = labels_come_later
    assert len(ids) == 1000
    assert workflow.run() == "SUCCEEDED"
    assert workflow.calls.count("label_wait") == 9
    assert workflow.decisions()[0].kind == "promote"


def test_labels_that_never_come_end_in_a_rejection_that_says_so(workflow: Workflow):
    """After 48 hours without labels the gates fail closed; the decision names what is missing."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=300, label_delay=None)
    assert workflow.run() == "SUCCEEDED"
    (decision,) = workflow.decisions()
    assert decision.kind == "reject"
    assert "0 labelled rows" in decision.reason
    assert workflow.clock.now >= START + 12 * DAY
    assert workflow.calls.count("label_wait") == 193
    assert workflow.stores.pointer.read().pointer.version == "v1"


@pytest.mark.parametrize("outcome", ["skip", "failed"])
def test_training_that_does_not_train_ends_without_gates(workflow: Workflow, outcome: str):
    """Where there is nothing to train on, the decision is training's own, and no gate is asked."""
    workflow.functions["shadow_training"] = lambda _: {"outcome": outcome, "reason": "too few labels"}
    assert workflow.run() == "SUCCEEDED"
    (decision,) = workflow.decisions()
    assert (decision.kind, decision.reason) == (outcome, "too few labels")
    assert workflow.calls == ["shadow_training", "promotion"]
    assert workflow.messages()[0][0] == f"selfheal: {outcome} v1"


@pytest.mark.parametrize("function", ["shadow_training", "label_wait", "gate_evaluation"])
def test_a_function_that_fails_ends_in_a_failed_decision(workflow: Workflow, function: str):
    """An error of any step before the last is caught, written down with its message, and told."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=500)
    workflow.functions[function] = _fail(ValueError("the roof is leaking"))
    assert workflow.run() == "SUCCEEDED"
    assert_failed(workflow, "ValueError: the roof is leaking")
    assert workflow.calls.count(function) == 1


@pytest.mark.parametrize("function", ["shadow_training", "label_wait", "gate_evaluation"])
def test_a_function_that_times_out_ends_in_a_failed_decision(workflow: Workflow, function: str):
    """Lambda reports its own timeout as an error of that name."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=500)
    timeout = type("Sandbox.Timedout", (Exception,), {})
    workflow.functions[function] = _fail(timeout("Task timed out after 900.00 seconds"))
    assert workflow.run() == "SUCCEEDED"
    assert_failed(workflow, "Sandbox.Timedout: Task timed out after 900.00 seconds")


@pytest.mark.parametrize("function", ["shadow_training", "label_wait", "gate_evaluation"])
@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
def test_a_function_that_returns_nonsense_ends_in_a_failed_decision(workflow: Workflow, function: str, nonsense: Any):
    """Whatever a step returns, the decision says which step it was."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=500)
    workflow.functions[function] = lambda _: nonsense
    assert workflow.run() == "SUCCEEDED"
    named = {"shadow_training": "shadow training", "label_wait": "label wait", "gate_evaluation": "gate evaluation"}
    assert_failed(workflow, f"{named[function]} returned nothing that can be used")


@pytest.mark.parametrize("function", ["shadow_training", "label_wait", "gate_evaluation", "promotion"])
def test_a_store_that_is_away_for_a_moment_is_asked_again(workflow: Workflow, function: str):
    """Transient errors are retried, and the healing goes on as if nothing had been."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=500)
    works = workflow.functions[function]
    attempts = iter([True, True, False])

    def away_twice(event: dict[str, Any]) -> Any:
        if next(attempts, False):
            raise StoreUnavailable("S3 didn't answer")
        return works(event)

    workflow.functions[function] = away_twice
    assert workflow.run() == "SUCCEEDED"
    assert [decision.kind for decision in workflow.decisions()] == ["promote"]


def test_a_label_wait_that_never_ends_is_ended(workflow: Workflow):
    """A label wait that always asks for more is cut off after 210 waits."""
    endless = LabelProgress(
        ready=False,
        reason="waiting for more",
        labelled=0,
        predictions=0,
        coverage=0.0,
        deadline=START,
        wait_seconds=60,
    )
    workflow.functions["label_wait"] = lambda _: endless.model_dump(mode="json")
    assert workflow.run() == "SUCCEEDED"
    assert_failed(workflow, "the label wait didn't end")
    assert workflow.calls.count("label_wait") == 211


def test_a_promotion_that_fails_is_told_and_the_execution_fails(workflow: Workflow):
    """Where even the last step fails six times, people hear of it, and the next run finds an execution that failed."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=500)
    workflow.functions["promotion"] = _fail(StoreUnavailable("S3 didn't answer"))
    assert workflow.run() == "FAILED"
    assert workflow.calls.count("promotion") == 6
    ((subject, message),) = workflow.messages()
    assert subject == "selfheal: a healing ended without a recorded decision"
    assert "v1-0" in message
    assert "S3 didn't answer" in message


@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
def test_a_promotion_that_returns_nonsense_is_told_and_the_execution_fails(workflow: Workflow, nonsense: Any):
    """No sentence, no success."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=500)
    workflow.functions["promotion"] = lambda _: nonsense
    assert workflow.run() == "FAILED"
    ((_, message),) = workflow.messages()
    assert "returned nothing that can be used" in message


def test_an_input_that_is_no_healing_fails_loudly(workflow: Workflow):
    """Somebody starts the state machine by hand with an empty object: told, and FAILED."""
    assert workflow.run({"hello": "world"}) == "FAILED"
    assert workflow.messages()[0][0] == "selfheal: a healing ended without a recorded decision"


def test_a_promotion_called_again_after_it_succeeded_changes_nothing(workflow: Workflow):
    """The answer of a promotion gets lost, the retry finds its own decision: one decision, one outcome."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=500)
    works = workflow.functions["promotion"]
    attempts = iter([True, False])

    def loses_its_first_answer(event: dict[str, Any]) -> Any:
        answer = works(event)
        if next(attempts):
            raise TimeoutError("the answer got lost")
        return answer

    workflow.functions["promotion"] = loses_its_first_answer
    assert workflow.run() == "SUCCEEDED"
    entries = list(workflow.stores.ledger.entries())
    assert [entry.decision.kind if entry.decision else entry.outcome.kind for entry in entries if entry] == [
        "bootstrap",
        "done",
        "promote",
        "done",
    ]
    assert isinstance(Verdict, type)
