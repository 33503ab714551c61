"""Every right of every role is used, and nothing needs more: the loop and its failure paths on the local cloud."""

from itertools import chain

import httpx
import pytest

from infra.local import FunctionFailed, LocalCloud, synthesised
from infra.local.iam import is_allowed
from infra.local.moto_adaptations import STATE_MACHINE_KEY
from infra.simulation.credit import Phase
from selfheal.records.healing import Trigger
from selfheal.usecases.heal import start_healing
from tests.support.small_loop import START, STEP, SmallLoop

FUNCTIONS = ("predictor", "labels", "drift", "shadow_training", "label_wait", "gate_evaluation", "promotion")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """A cloud whose functions have done all that they ever do."""
    assembly, folder = synthesised(schedule_minutes=360), tmp_path_factory.mktemp("loop")
    with LocalCloud.deploy(assembly, start=START, work_dir=folder) as deployed:
        loop = SmallLoop(deployed)
        before_the_first_model(loop)
        loop.bootstrap()
        heal_until_decided(loop)
        requests_of_every_kind(loop)
        lose_a_healing(loop)
        loop.close()
        yield deployed


def before_the_first_model(loop: SmallLoop) -> None:
    """Nothing is in production: requests hear so, labels are taken in all the same, a monitoring run fails for good."""
    cloud = loop.cloud
    assert httpx.get(f"{cloud.url}/model", timeout=60).status_code == 503
    cloud.stores.data.put("labels/incoming/early.csv", b"prediction_id,label\n")
    cloud.settle()
    for fail in (
        lambda: cloud.clock.advance(STEP),
        lambda: cloud._functions.invoke_later("labels", b'{"Records": [{}]}'),
    ):
        fail()
        cloud.tick()
        with pytest.raises(FunctionFailed):
            cloud.settle()


def heal_until_decided(loop: SmallLoop) -> None:
    """The world turns upside down until a healing has gone through the gates."""
    for _ in range(12):
        loop.live(1, Phase.CHANGED_RISK, invert=True)
        if set(loop.decisions()) & {"promote", "reject"}:
            return
    raise AssertionError(f"no verdict: {loop.decisions()}")


def requests_of_every_kind(loop: SmallLoop) -> None:
    """The same request twice under one key, and labels through the API."""
    from infra.demo.traffic import as_json_rows
    from infra.simulation.credit import credit_rows

    features, _ = credit_rows(loop._rng, 1)
    body = {"rows": as_json_rows(features, loop.contract)}
    url, key = loop.cloud.url, {"idempotency-key": "once"}
    answers = [httpx.post(f"{url}/predict", json=body, headers=key, timeout=60).json() for _ in range(2)]
    assert answers[0]["predictions"] == answers[1]["predictions"]
    prediction = answers[0]["predictions"][0]["prediction_id"]
    labels = {"labels": [{"prediction_id": prediction, "label": 1}]}
    assert httpx.post(f"{url}/labels", json=labels, timeout=60).status_code < 300
    loop.cloud.settle()


def lose_a_healing(loop: SmallLoop) -> None:
    """An execution that somebody stops is accounted for by the next monitoring run."""
    cloud = loop.cloud
    trigger = Trigger(kind="manual", reason="a test")
    healing = start_healing(cloud.stores, cloud.executions, trigger, cloud.clock.now)
    machine = cloud.client("stepfunctions")
    arn = next(call.call.resource for call in cloud.calls if call.call.action == "states:ListExecutions")
    execution = f"{arn.replace(':stateMachine:', ':execution:')}:{healing.execution}"
    machine.stop_execution(executionArn=execution)
    cloud.run_until(cloud.clock.now + 2 * STEP)
    assert "failed" in loop.decisions()


def recorded(cloud, caller):
    """What a caller did, each call once."""
    return {
        (c.call.action, c.call.resource, tuple(c.call.context.items())): c.call
        for c in cloud.calls
        if c.caller == caller
    }.values()


def test_no_function_was_refused_anything(cloud):
    """No call of the loop, nor of its failure paths, needs more than its role allows."""
    refused = {(item.caller, item.call.action, item.call.resource) for item in cloud.calls if not item.allowed}
    assert not refused


@pytest.mark.parametrize("caller", FUNCTIONS)
def test_no_statement_can_be_left_out(cloud, caller):
    """Without any one statement of its role, a function would be refused a call that it made."""
    statements, calls = cloud.roles[caller], recorded(cloud, caller)
    for left_out in statements:
        rest = [statement for statement in statements if statement is not left_out]
        assert not all(is_allowed(call, rest) for call in calls), f"{caller} doesn't need {left_out}"


def test_the_state_machine_calls_what_it_may_and_no_more(cloud):
    """Each function that the state machine may invoke was invoked, and it published."""
    used = {(call.action, call.resource) for call in recorded(cloud, STATE_MACHINE_KEY)}
    statements = [
        s for s in cloud.roles[STATE_MACHINE_KEY] if s.actions in {("lambda:InvokeFunction",), ("sns:Publish",)}
    ]
    allowed = set(chain.from_iterable(((s.actions[0], resource) for resource in s.resources) for s in statements))
    assert used == allowed
