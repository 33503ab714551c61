"""The state machine, executed by moto's interpreter: every path ends in a decision and a notification."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.local.clock import SimulatedClock
from infra.local.moto_adaptations import executing_state_machines, functions_run_by, immediate_retries, simulated_waits
from infra.local.runtime import FunctionRuntime, FunctionSpec
from selfheal.contract.model import PromotionPolicy, RetrainingPolicy
from selfheal.errors import NothingToApprove, StoreUnavailable
from selfheal.healing.state import result_of
from selfheal.records.healing import Healing, LabelProgress, Training
from selfheal.records.ledger import Approval, Decision
from selfheal.stores.approvals import Approvals
from selfheal.usecases.heal.await_labels import LOOKS, await_labels
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.registry.verify import verify
from tests.support.healing import CONTRACT, DAY, START, healed_environment, labelled_row, traffic, trained

DEFINITION = Path(__file__).parents[2] / "infra" / "cloud" / "state_machine.asl.json"
REGION = "eu-central-1"
ACCOUNT = "123456789012"
FUNCTIONS = {
    "ShadowTrainingArn": "shadow_training",
    "LabelWaitArn": "label_wait",
    "GateEvaluationArn": "gate_evaluation",
    "PromotionArn": "promotion",
}
NONSENSE = ["a string", None, {"outcome": 3, "ready": False, "wait_seconds": -1, "sentence": None}]
ATTEMPTS = itertools.count()
LOOKS_ALLOWED = 210

type Function = Callable[[dict[str, Any]], Any]


class Account:
    """One account for all tests of this module: making a state machine and its clients takes longer than running it."""

    def __init__(self) -> None:
        self.sqs = boto3.client("sqs", REGION)
        self.machine = boto3.client("stepfunctions", REGION)
        self.topic = boto3.client("sns", REGION).create_topic(Name="people")["TopicArn"]
        self.queue = self._subscribed_queue()
        self.arns = {key: _function(name) for key, name in FUNCTIONS.items()} | {"TopicArn": self.topic}
        self.definition = DEFINITION.read_text(encoding="utf-8")
        self.arn = self.create("healing", self.definition)

    def create(self, name: str, definition: str) -> str:
        for key, arn in self.arns.items():
            definition = definition.replace(f"${{{key}}}", arn)
        role = f"arn:aws:iam::{ACCOUNT}:role/machine"
        created = self.machine.create_state_machine(name=name, definition=definition, roleArn=role)
        return created["stateMachineArn"]

    def messages(self) -> list[tuple[str, str]]:
        """What people were told since the last look."""
        received = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in received:
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        bodies = [json.loads(message["Body"]) for message in received]
        return [(body["Subject"], body["Message"]) for body in bodies]

    def _subscribed_queue(self) -> str:
        queue = self.sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        boto3.client("sns", REGION).subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn)
        return queue


class Workflow:
    """The four functions in this process, each replaceable; the state machine runs them."""

    def __init__(self, account: Account, clock: SimulatedClock, execution: str) -> None:
        self.account = account
        self.stores, healing = healed_environment()
        self.healing = healing.model_copy(update={"execution": execution})
        self.clock = clock
        self.state_machine = account.arn
        self.calls: list[str] = []
        self.functions: dict[str, Function] = {
            "shadow_training": lambda _: trained().model_dump(mode="json"),
            "label_wait": lambda event: await_labels(self.stores, *_steps(event), clock.now).model_dump(mode="json"),
            "gate_evaluation": lambda event: evaluate_gates(self.stores, *_steps(event), clock.now).model_dump(
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
        started = self.account.machine.start_execution(
            stateMachineArn=self.state_machine,
            name=self.healing.execution,
            input=json.dumps(given or {"healing": self.healing.model_dump(mode="json")}),
        )
        return self._ended(started["executionArn"])

    def decisions(self) -> list[Decision]:
        return [known for known in self.stores.ledger.decisions() if known.kind != "bootstrap"]

    def messages(self) -> list[tuple[str, str]]:
        return self.account.messages()

    def _ended(self, execution: str) -> str:
        limit = time.monotonic() + 60
        while time.monotonic() < limit:
            if waits := self.clock.pending_waits():
                self.clock.set(waits[0])
                continue
            status = self.account.machine.describe_execution(executionArn=execution)["status"]
            if status != "RUNNING":
                return status
            time.sleep(0.02)
        pytest.fail("the execution didn't end")


def _steps(event: dict[str, Any]) -> tuple[Healing, Training]:
    return Healing.model_validate(event["healing"]), Training.model_validate(event["training"])


def _function(name: str) -> str:
    role = boto3.client("iam", REGION)
    arn = role.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    created = boto3.client("lambda", REGION).create_function(
        FunctionName=name, Runtime="python3.13", Role=arn, Handler="x.y", Code={"ZipFile": b"PK\x05\x06" + bytes(18)}
    )
    return created["FunctionArn"]


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch, mock_aws(), executing_state_machines(), immediate_retries():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "local")
        yield Account()


@pytest.fixture
def workflow(account: Account, tmp_path: Path) -> Iterator[Workflow]:
    clock = SimulatedClock(tmp_path / "clock", START + 10 * DAY)
    made = Workflow(account, clock, f"v1-{next(ATTEMPTS)}")
    with simulated_waits(clock), functions_run_by(made):
        yield made
    account.messages()


def _fail(error: Exception) -> Function:
    def function(_: dict[str, Any]) -> Any:
        raise error

    return function


def assert_failed(workflow: Workflow, because: str) -> None:
    """One failed decision with its reason; production untouched; people told the same."""
    (decision,) = workflow.decisions()
    assert (decision.kind, decision.execution) == ("failed", workflow.healing.execution)
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
    assert (decision.kind, len(decision.gates)) == ("promote", 7)
    assert workflow.stores.pointer.read().pointer.version == decision.version
    assert [one.version for one in workflow.stores.models.manifest(decision.version).members] == ["v2", "v1"]
    ((subject, message),) = workflow.messages()
    assert subject == "selfheal: promote v1"
    assert message.startswith(f"{decision.version} replaced v1 in production")


@pytest.mark.parametrize(("number", "length"), [(2, 70_000), (3_000, 14)], ids=["long", "many"])
def test_what_callers_call_their_groups_ends_no_execution(workflow: Workflow, number: int, length: int):
    """Categories of 70,000 characters, or three thousand of them: promoted, told, and within the limit of a state."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=1000)
    for second in range(number):
        moment = START + 9 * DAY + timedelta(seconds=20 * second + 1)
        labelled_row(workflow.stores, moment, x=0.5, group=f"{second}".ljust(length, "x"))
    assert workflow.run() == "SUCCEEDED"
    assert [decision.kind for decision in workflow.decisions()] == ["promote"]
    assert len(workflow.messages()) == 1


def test_waits_until_the_labels_have_come(workflow: Workflow):
    """Labels that come after an hour are looked for every 15 minutes, and end the wait early."""
    ids = traffic(workflow.stores, since=START + 9 * DAY, rows=500, label_delay=None)
    truth = {"ready": False}
    look = workflow.functions["label_wait"]

    def labels_come_later(event: dict[str, Any]) -> Any:
        if workflow.clock.now >= START + 10 * DAY + timedelta(hours=1) and not truth["ready"]:
            truth["ready"] = True
            traffic(workflow.stores, since=START + 9 * DAY, rows=500)
        return look(event)

    workflow.functions["label_wait"] = labels_come_later
    assert len(ids) == 500
    assert workflow.run() == "SUCCEEDED"
    assert workflow.calls.count("label_wait") == 5
    assert workflow.decisions()[0].kind == "promote"


def test_labels_that_never_come_end_in_a_rejection_that_says_so(workflow: Workflow):
    """When the wait is over without labels the gates fail closed; the decision names what is missing."""
    policy = CONTRACT.policy.model_copy(update={"retraining": RetrainingPolicy(label_wait_hours=3)})
    workflow.stores, healing = healed_environment(CONTRACT.with_policy(policy))
    workflow.healing = healing.model_copy(update={"execution": workflow.healing.execution})
    traffic(workflow.stores, since=START + 9 * DAY, rows=300, label_delay=None)
    assert workflow.run() == "SUCCEEDED"
    (decision,) = workflow.decisions()
    assert decision.kind == "reject"
    assert "0 labelled rows" in decision.reason
    assert workflow.clock.now == START + 10 * DAY + timedelta(hours=3)
    assert workflow.calls.count("label_wait") == 13
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


def test_a_trainer_that_hangs_is_ended_with_its_process_and_the_decision_says_so(workflow: Workflow, tmp_path: Path):
    """The function's time limit kills what never returns; a failed decision names it, and production is untouched."""
    here = Path(__file__).parents[2]
    runtime = FunctionRuntime(
        FunctionSpec(
            name="hanging",
            arn="arn:hanging",
            handler="hanging_training.handler",
            code=(
                here / "tests" / "workflow" / "functions",
                here / "layers" / "core" / "python",
                here / "infra" / "tools",
                here,
            ),
            packages=Path(pytest.__file__).parents[1],
            environment={"AWS_DEFAULT_REGION": REGION},
            timeout=12.0,
            memory=512,
            log_group="hanging",
        ),
        tmp_path / "log",
    )
    # Beforehand: the process takes longer to start than these executions are waited for.
    outcome = json.loads(runtime.invoke(b"{}").payload)
    assert "hanging now" in runtime.log_tail()
    error = type(outcome["errorType"], (Exception,), {})(outcome["errorMessage"])
    workflow.functions["shadow_training"] = _fail(error)
    assert workflow.run() == "SUCCEEDED"
    assert "Sandbox.Timedout" in workflow.decisions()[0].reason
    assert_failed(workflow, "training was still running and was ended: where the contract names a trainer it may hang")


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
    """A label wait that always asks for more is cut off (here after 5 waits, to keep the test short)."""
    limited = workflow.account.definition.replace(f'"NumericLessThan": {LOOKS_ALLOWED}', '"NumericLessThan": 5')
    workflow.state_machine = workflow.account.create("limited", limited)
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
    assert workflow.calls.count("label_wait") == 6


def asking(workflow: Workflow, hours: float = 1.0) -> Approvals:
    """A contract that wants a person's approval, labels for a promotion, and the person's side of the question."""
    policy = CONTRACT.policy.model_copy(update={"promotion": PromotionPolicy(approval_hours=hours)})
    workflow.stores, healing = healed_environment(CONTRACT.with_policy(policy))
    workflow.healing = healing.model_copy(update={"execution": workflow.healing.execution})
    traffic(workflow.stores, since=START + 9 * DAY, rows=500)
    return Approvals(workflow.account.machine, workflow.account.arn)


def answer_when_asked(approvals: Approvals, approval: Approval) -> str:
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        with suppress(NothingToApprove):
            return approvals.answer(None, approval)
        time.sleep(0.05)
    pytest.fail("nobody was asked")


@pytest.mark.parametrize(("approved", "kind", "production"), [(True, "promote", "the blend"), (False, "reject", "v1")])
def test_a_person_is_asked_where_the_contract_says_so(
    workflow: Workflow,
    approved: bool,  # noqa: FBT001
    kind: str,
    production: str,
):
    """The healing waits for the answer and abides by it; the decision says whose it was."""
    approvals = asking(workflow)
    with ThreadPoolExecutor(1) as person:
        approval = Approval(approved=approved, by="ann", reason="I looked at it")
        answered = person.submit(answer_when_asked, approvals, approval)
        assert workflow.run() == "SUCCEEDED"
        assert answered.result() == workflow.healing.execution
    (decision,) = workflow.decisions()
    assert (decision.kind, decision.approval) == (kind, approval)
    assert "by ann: I looked at it" in decision.reason
    answers = workflow.stores.pointer.read().pointer.version
    assert answers == (decision.version if production == "the blend" else production)
    assert [subject for subject, _ in workflow.messages()] == [
        "selfheal: a promotion waits for your approval",
        f"selfheal: {kind} v1",
    ]
    verify(workflow.stores)


def test_no_answer_is_a_refusal(workflow: Workflow):
    """The wait ends after a second here: rejected, because nobody answered."""
    approvals = asking(workflow, hours=1 / 3600)
    assert workflow.run() == "SUCCEEDED"
    (decision,) = workflow.decisions()
    assert decision.kind == "reject"
    assert "nobody answered in time" in decision.reason
    with pytest.raises(NothingToApprove, match="none"):
        approvals.answer(None, Approval(approved=True, by="ann", reason="too late"))


def test_an_answer_that_is_none_ends_in_a_failed_decision(workflow: Workflow):
    """Somebody sends something else than an approval past the command line."""
    approvals = asking(workflow)
    nonsense = SimpleNamespace(model_dump_json=lambda: '"banana"')
    with ThreadPoolExecutor(1) as person:
        person.submit(answer_when_asked, approvals, nonsense)
        assert workflow.run() == "SUCCEEDED"
    (decision,) = workflow.decisions()
    assert decision.kind == "failed"
    assert "approval" in decision.reason


def test_an_honest_label_wait_is_not_cut_off():
    """The longest wait looks 201 times: below the limit of the state machine."""
    assert f'"NumericLessThan": {LOOKS_ALLOWED}' in DEFINITION.read_text(encoding="utf-8")
    assert LOOKS + 1 < LOOKS_ALLOWED


def test_a_promotion_that_fails_is_told_and_the_execution_fails(workflow: Workflow):
    """Where even the last step fails six times, people hear of it, and the next run finds an execution that failed."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=500)
    workflow.functions["promotion"] = _fail(StoreUnavailable("S3 didn't answer"))
    assert workflow.run() == "FAILED"
    assert workflow.calls.count("promotion") == 6
    ((subject, message),) = workflow.messages()
    assert subject == "selfheal: a healing was interrupted"
    assert workflow.healing.execution in message
    assert "(StoreUnavailable)" in message


@pytest.mark.parametrize("nonsense", NONSENSE, ids=str)
def test_a_promotion_that_returns_nonsense_is_told_and_the_execution_fails(workflow: Workflow, nonsense: Any):
    """No sentence, no success."""
    traffic(workflow.stores, since=START + 9 * DAY, rows=500)
    workflow.functions["promotion"] = lambda _: nonsense
    assert workflow.run() == "FAILED"
    ((_, message),) = workflow.messages()
    assert "(Misconcluded)" in message


def test_an_input_that_is_no_healing_fails_loudly(workflow: Workflow):
    """Somebody starts the state machine by hand with an empty object: told, and FAILED."""
    assert workflow.run({"hello": "world"}) == "FAILED"
    assert workflow.messages()[0][0] == "selfheal: a healing was interrupted"


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
