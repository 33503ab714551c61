"""Every right of every role is used, and nothing needs more: the loop and its failure paths on the local cloud.

The stage has every guard turned on (a key of its own, retention, SnapStart), so that the rights for them count too.
"""

import gzip
import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import boto3
import httpx
import pytest

from infra.local import FunctionFailed, LocalCloud, synthesised
from infra.local.functions import HEALING, HOUR_ROLL_UP, SCHEDULER
from infra.local.iam import Call, Statement, is_allowed
from selfheal.prefixes import PREDICTIONS
from selfheal.records.artefacts import TRAINING
from selfheal.records.healing import Trigger
from selfheal.records.monitoring import FaultPeriod
from selfheal.records.predictions import new_request_id, prediction_id, timestamp_of
from selfheal.stores.collection import Stores
from selfheal.stores.large_hours import HourStateMachine
from selfheal.stores.pointer import KEY as POINTER
from selfheal.stores.rollups import hour_of
from selfheal.stores.summaries import summary_key
from selfheal.usecases.heal.lifecycle import start_healing
from selfheal.usecases.registry.pause import pause, resume
from selfheal.usecases.registry.promote import force_promotion
from selfheal_tools.simulation.credit import Phase
from tests.support.serving import event
from tests.support.small_loop import START, STEP, SmallLoop
from tests.support.templates import GUARDED

FUNCTIONS = (
    "predictor",
    "labels",
    "batch_scoring",
    "drift",
    "shadow_training",
    "label_wait",
    "gate_evaluation",
    "promotion",
    "hour_roll_up",
)
CALLERS = (*FUNCTIONS, SCHEDULER, HEALING, HOUR_ROLL_UP)

# What AWS asks of the role of a state machine that writes its log; it has no resources to name.
# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
LOG_DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}


# What AWS asks of the role of a state machine for its Distributed Map, beside what the map reads.
# https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
PARTS_ARE_RUN = {"states:StartExecution", "states:DescribeExecution", "states:StopExecution"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """A cloud whose functions have done all that they ever do."""
    assembly, folder = synthesised(schedule_minutes=360, **GUARDED), tmp_path_factory.mktemp("loop")
    with LocalCloud.deploy(assembly, start=START, work_dir=folder) as deployed:
        with closing(SmallLoop(deployed)) as loop:
            before_the_first_model(loop)
            loop.bootstrap()
            stay_away_from_healing_while_paused(loop)
            heal_until_promoted(loop)
            ask_every_step_again(loop)
            take_back_a_forced_promotion(loop)
            roll_up_a_large_hour(loop)
            fail_for_good(loop)
            fail_to_deliver(loop)
        yield deployed


def before_the_first_model(loop: SmallLoop) -> None:
    """Nothing is in production: requests hear so, labels are taken in all the same, monitoring says so and stops.

    One upload is gone before its event is handled, another event can't be handled at all.
    """
    cloud = loop.cloud
    assert httpx.get(f"{cloud.url}/model", timeout=60).status_code == 503
    cloud.stores.data.put("labels/incoming/early.csv", b"prediction_id,label\n")
    cloud._functions.invoke_later("labels", json.dumps(event("s3_labels_uploaded")).encode())
    cloud.settle()
    cloud.clock.advance(STEP)
    cloud.tick()
    cloud.settle()
    for function in ("labels", "batch_scoring"):
        cloud._functions.invoke_later(function, b'{"Records": [{}]}')
        with pytest.raises(FunctionFailed):
            cloud.settle()
    cloud.stores.data.put("batches/incoming/early.csv", b"x")
    with pytest.raises(FunctionFailed, match="bootstrap"):
        cloud.settle()


def stay_away_from_healing_while_paused(loop: SmallLoop) -> None:
    """The world turns upside down, a healing is due, and none starts until the operator ends the pause."""
    stores = loop.cloud.stores
    pause(stores, reason="an incident", actor="operator", now=loop.cloud.clock.now)
    for _ in range(12):
        loop.live(1, Phase.CHANGED_RISK, invert=True)
        if "paused" in newest_run(loop)["healing"]["reason"]:
            break
    else:
        raise AssertionError(f"no healing was due: {newest_run(loop)['healing']}")
    assert loop.decisions() == ["bootstrap"]
    assert not loop.cloud.executions.recent()
    resume(stores, reason="over", actor="operator", now=loop.cloud.clock.now)


def newest_run(loop: SmallLoop) -> dict:
    written = loop.cloud.stores.monitoring.keys()
    return json.loads(loop.cloud.stores.monitoring.read([key for key in written if key.endswith("/summary.json")][-1]))


def heal_until_promoted(loop: SmallLoop) -> None:
    """The world stays upside down until a healing has passed the gates."""
    for _ in range(12):
        loop.live(1, Phase.CHANGED_RISK, invert=True)
        if "promote" in loop.decisions():
            return
    raise AssertionError(f"no promotion: {loop.decisions()}")


def ask_every_step_again(loop: SmallLoop) -> None:
    """Step Functions may run a task twice, here in the middle of an hour: each step finds what it has written."""
    loop.cloud.clock.advance(timedelta(minutes=10))
    now = loop.cloud.clock.now
    loop.cloud.stores.fault_periods.add(FaultPeriod(start=now - timedelta(minutes=5), end=now, faults=("a test",)))
    state = promoted_state(loop.cloud)
    for _ in range(2):
        assert loop.cloud.invoke("shadow_training", state) == state["training"]
        assert loop.cloud.invoke("label_wait", state)["ready"]
        assert loop.cloud.invoke("gate_evaluation", state)["evidence"]
        assert loop.cloud.invoke("promotion", state) == state["conclusion"]


def promoted_state(cloud: LocalCloud) -> dict:
    """What the state machine had gathered when a healing ended in a promotion."""
    machine = cloud.client("stepfunctions")
    ended = machine.list_executions(stateMachineArn=machine_of(cloud), statusFilter="SUCCEEDED")["executions"]
    outputs = [machine.describe_execution(executionArn=execution["executionArn"])["output"] for execution in ended]
    return next(s for s in map(json.loads, outputs) if s["conclusion"]["decision"]["kind"] == "promote")


def take_back_a_forced_promotion(loop: SmallLoop) -> None:
    """A healing is lost under a first version that somebody has forced back in; the monitoring takes that back."""
    stores = loop.cloud.stores
    first, *_, promoted = (decision.version for decision in stores.ledger.decisions())
    pause(stores, reason="hands off", actor="operator", now=loop.cloud.clock.now)
    refuse_a_promotion(loop)
    loop.live(1, Phase.CHANGED_RISK, invert=True)
    loop.cloud.clock.advance(timedelta(minutes=10))
    requests_of_every_kind(loop)
    force_promotion(stores, first, reason="a mistake", actor="operator", now=loop.cloud.clock.now)
    resume(stores, reason="a healing", actor="operator", now=loop.cloud.clock.now)
    lose_a_healing(loop)
    pause(stores, reason="hands off", actor="operator", now=loop.cloud.clock.now)
    for _ in range(8):
        loop.live(1, Phase.CHANGED_RISK, invert=True)
        if "rollback" in loop.decisions():
            break
    assert stores.pointer.read().pointer.version == promoted
    assert "failed" in loop.decisions()
    resume(stores, reason="over", actor="operator", now=loop.cloud.clock.now)


def refuse_a_promotion(loop: SmallLoop) -> None:
    """A healing that would promote ends under the pause: the function rejects it, and production stays."""
    state, before = promoted_state(loop.cloud), loop.cloud.stores.pointer.read()
    state["healing"] |= {"execution": "paused-0", "production_decision": before.pointer.decision_id}
    conclusion = loop.cloud.invoke("promotion", state)
    assert conclusion["decision"]["kind"] == "reject"
    assert "paused" in conclusion["sentence"]
    assert loop.cloud.stores.pointer.read() == before


def lose_a_healing(loop: SmallLoop) -> None:
    """An execution that somebody stops once its shadow training has read all that it trains on."""
    cloud = loop.cloud
    before = len(cloud.calls)
    trigger = Trigger(kind="manual", reason="a test")
    healing = start_healing(cloud.stores, cloud.executions, cloud.stores.ledger.story(), trigger, cloud.clock.now)
    deadline = time.monotonic() + 300
    while not has_read_training_set(cloud, before):
        assert time.monotonic() < deadline, cloud.function_log("shadow_training")
        time.sleep(0.1)
    arn = machine_of(cloud).replace(":stateMachine:", ":execution:")
    cloud.client("stepfunctions").stop_execution(executionArn=f"{arn}:{healing.execution}")


def has_read_training_set(cloud: LocalCloud, before: int) -> bool:
    """Whether a training has read production's training set, its last read, after the first `before` calls."""
    return any(
        item.caller == "shadow_training" and item.call.resource.endswith(f"/{TRAINING}")
        for item in cloud.calls[before:]
    )


def roll_up_a_large_hour(loop: SmallLoop) -> None:
    """Monitoring has an hour rolled up in parts, of which some are done already; a little of it came late.

    The steps that the state machine would take are asked for one by one first: meanwhile a summary gets lost.
    """
    cloud, stores, hour = loop.cloud, loop.cloud.stores, hour_of(loop.cloud.clock.now)
    requests = [log_again(stores, hour, minute) for minute in range(3)]
    cloud.clock.advance(timedelta(hours=2))
    plan = cloud.invoke("hour_roll_up", {"step": "plan", "hour": hour.isoformat()})
    requests.append(log_again(stores, hour, 3))
    (part,) = stores.hour_parts.planned(plan["manifest"])
    assert cloud.invoke("hour_roll_up", {"step": "part", "plan": plan, "part": part})["rows"] >= len(requests) - 1
    data = cloud.outputs["DataBucket"]
    cloud.client("s3").delete_object(Bucket=data, Key=summary_key(plan["version"], hour, part))
    assert cloud.invoke("hour_roll_up", {"step": "reduce", "plan": plan})["whole"]
    assert len(stores.rollups.read(hour).rows) == 1
    requests.append(log_again(stores, hour, 4))
    machine = next(iter(state_machines_of(cloud, "HourRollUp")))
    HourStateMachine(client_of(cloud, "drift"), machine).start(hour, cloud.clock.now)
    HourStateMachine(client_of(cloud, "drift"), machine).start(hour, cloud.clock.now)
    cloud.settle()
    assert len(stores.rollups.read(hour).parts) == 2
    window = stores.history.window(hour, hour + timedelta(hours=1), loop.contract)
    assert {key.partition("-")[0] for key in window.prediction_ids} >= set(requests)


def log_again(stores: Stores, hour: datetime, minute: int) -> str:
    """A prediction that was made before, as one of another minute and under an id of the user's own."""
    moment = hour + timedelta(minutes=minute)
    request, known = new_request_id(moment), next(iter(stores.data.keys(PREDICTIONS)))
    row = json.loads(stores.data.get(known).body.splitlines()[0])
    row |= {"prediction_id": prediction_id(request, 0), "id": f"late-{minute}", "timestamp": timestamp_of(moment)}
    assert stores.prediction_log.append(request, [row])
    return request


def state_machines_of(cloud: LocalCloud, capability: str) -> Iterator[str]:
    machines = cloud.client("stepfunctions").list_state_machines()["stateMachines"]
    return (machine["stateMachineArn"] for machine in machines if capability in machine["name"])


def client_of(cloud: LocalCloud, caller: str) -> Any:
    """Step Functions as a function of the cloud calls it."""
    return boto3.client(
        "stepfunctions",
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id=caller,
        aws_secret_access_key="local",
    )


def machine_of(cloud: LocalCloud) -> str:
    return next(item.call.resource for item in cloud.calls if item.call.action == "states:ListExecutions")


def requests_of_every_kind(loop: SmallLoop) -> None:
    """The same request twice under one key, and its label at once: training reads the hour that isn't over yet.

    Then rows with ids of their own, one of which two share, and labels by them; and a file, the event of which comes
    twice, beside one that is gone.
    """
    from selfheal_tools.demo.traffic import as_json_rows
    from selfheal_tools.simulation.credit import credit_rows

    features, _ = credit_rows(loop._rng, 1)
    body = {"rows": as_json_rows(features, loop.contract)}
    url, key = loop.cloud.url, {"idempotency-key": "once"}
    answers = [httpx.post(f"{url}/predict", json=body, headers=key, timeout=60).json() for _ in range(2)]
    assert answers[0]["predictions"] == answers[1]["predictions"]
    prediction = answers[0]["predictions"][0]["prediction_id"]
    rows = [{**body["rows"][0], "id": own_id} for own_id in ("once", "twice", "twice")]
    assert httpx.post(f"{url}/predict", json={"rows": rows}, timeout=60).status_code == 200
    by_id = [{"id": own_id, "label": 1} for own_id in ("once", "twice", "unknown")]
    labels = {"labels": [{"prediction_id": prediction, "label": 1}, *by_id]}
    assert httpx.post(f"{url}/labels", json=labels, timeout=60).status_code < 300
    drop_a_file(loop, features.to_csv(index=False).encode())
    drop_a_large_file_of_labels(loop, prediction)
    loop.cloud.settle()


def drop_a_large_file_of_labels(loop: SmallLoop, prediction: str) -> None:
    """Few rows that unfold to more than one function takes in: they are cut off, and their event takes them in."""
    cloud, wide = loop.cloud, "x" * 90_000
    rows = "".join(f"{prediction if row == 300 else row},1,{wide}\n" for row in range(2, 600))
    cloud.stores.data.put("labels/incoming/wide.csv.gz", gzip.compress(f"prediction_id,label,note\n{rows}".encode()))
    cloud.settle()
    whole = cloud.stores.labels.outcome("wide.csv.gz")
    assert whole is not None
    (part,) = (cloud.stores.labels.outcome(name) for name in whole.parts)
    assert part is not None
    assert (part.accepted, part.rejected) == (1, 597)
    assert [row["line"] for row in cloud.stores.labels.refused(part.refusals)][:2] == ["2", "3"]


def drop_a_file(loop: SmallLoop, body: bytes) -> None:
    cloud = loop.cloud
    etag = cloud.stores.data.put("batches/incoming/a.csv", body)
    cloud.settle()
    told = event("s3_batch_uploaded")
    (key,) = (key for key in cloud.stores.data.keys("batches/done/a.csv/") if key.endswith(".report.json"))
    uploaded = json.loads(cloud.stores.data.get(key).body)
    assert (uploaded["answered"], uploaded["refused"]) == (1, 0)
    assert cloud.invoke("batch_scoring", told)["reports"][0]["reason"].startswith("the file was gone")
    stored = {"key": "batches/incoming/a.csv", "size": len(body), "eTag": etag.strip('"')}
    told["Records"][0] |= {"eventTime": uploaded["uploaded_at"]}
    told["Records"][0]["s3"]["object"] |= stored
    assert cloud.invoke("batch_scoring", told)["reports"] == [uploaded]
    # Told of as too large for one function, it is cut into parts, whose events have them answered.
    told["Records"][0]["s3"]["object"]["size"] = 60_000_000
    (whole,) = cloud.invoke("batch_scoring", told)["reports"]
    cloud.settle()
    (part,) = (key for key in cloud.stores.data.keys(f"{whole['parts'][0]}/") if key.endswith(".report.json"))
    assert json.loads(cloud.stores.data.get(part).body)["answered"] == 1


def fail_for_good(loop: SmallLoop) -> None:
    """Nobody can read the pointer: Lambda tries a monitoring run three times and keeps its event in the queue."""
    cloud, registry = loop.cloud, loop.cloud.stores.registry_bucket
    whole = registry.get(POINTER)
    etag = registry.replace(POINTER, b"{}", whole.etag)
    cloud.clock.advance(STEP)
    cloud.tick()
    with pytest.raises(FunctionFailed):
        cloud.settle()
    registry.replace(POINTER, whole.body, etag)


def fail_to_deliver(loop: SmallLoop) -> None:
    """Lambda refuses a scheduled run: the scheduler keeps its event in the queue."""
    cloud = loop.cloud
    cloud.throttled.add("drift")
    cloud.run_until(cloud.clock.now + STEP)
    cloud.throttled.clear()
    sqs = cloud.client("sqs")
    queues = [url for url in sqs.list_queues()["QueueUrls"] if "Failures" in url]
    messages = sqs.receive_message(QueueUrl=queues[0], MaxNumberOfMessages=10)["Messages"]
    assert any("scheduled_at" in message["Body"] for message in messages)


@cache
def recorded(cloud: LocalCloud, caller: str) -> tuple[Call, ...]:
    """What a caller did, each call once."""
    made = (item.call for item in cloud.calls if item.caller == caller)
    return tuple({(call.action, call.resource, tuple(call.context.items())): call for call in made}.values())


def rights(cloud: LocalCloud, caller: str) -> list[Statement]:
    """The statements of a caller's role; without those of what the services do by themselves."""
    own = [statement for statement in cloud.roles[caller] if set(statement.actions) != LOG_DELIVERY]
    return [statement for statement in own if caller != HOUR_ROLL_UP or not set(statement.actions) <= PARTS_ARE_RUN]


def is_enough(statements: list[Statement], calls: tuple[Call, ...]) -> bool:
    return all(is_allowed(call, statements) for call in calls)


def lessened(statement: Statement) -> Iterator[tuple[str, Statement]]:
    """The statement without one of its actions, of its resources, or of the values of one of its conditions."""
    for action in statement.actions:
        yield action, replace(statement, actions=without(statement.actions, action))
    for resource in statement.resources:
        yield resource, replace(statement, resources=without(statement.resources, resource))
    for operator, keys in statement.conditions.items():
        for key, values in keys.items():
            for value in values:
                fewer = {**statement.conditions, operator: {**keys, key: without(values, value)}}
                yield f"{key} {value}", replace(statement, conditions=fewer)


def without(values: tuple[str, ...], left_out: str) -> tuple[str, ...]:
    return tuple(value for value in values if value != left_out)


def test_nobody_was_refused_anything(cloud):
    """No call of the loop, nor of its failure paths, needs more than its role allows."""
    refused = {(item.caller, item.call.action, item.call.resource) for item in cloud.calls if not item.allowed}
    assert not refused


@pytest.mark.parametrize("caller", CALLERS)
def test_no_statement_can_be_left_out(cloud, caller):
    """Without any one statement of its role, a caller would be refused a call that it made."""
    statements, calls = rights(cloud, caller), recorded(cloud, caller)
    assert statements
    for left_out in statements:
        rest = [statement for statement in statements if statement is not left_out]
        assert not is_enough(rest, calls), f"{caller} doesn't need {left_out}"


@pytest.mark.parametrize("caller", CALLERS)
def test_no_part_of_a_statement_can_be_left_out(cloud, caller):
    """Without any one action, resource, prefix or value of a condition, a caller would be refused a call it made."""
    statements, calls = rights(cloud, caller), recorded(cloud, caller)
    unused = [
        part
        for statement in statements
        for part, less in lessened(statement)
        if is_enough([less if other is statement else other for other in statements], calls)
    ]
    assert not unused, f"{caller} doesn't need {unused}"


def test_the_state_machine_may_deliver_its_log_as_aws_asks_for_it(cloud):
    """The one statement that no recorded call uses has exactly the documented actions."""
    (statement,) = [s for s in cloud.roles[HEALING] if s not in rights(cloud, HEALING)]
    assert set(statement.actions) == LOG_DELIVERY


def test_the_roll_up_may_run_its_parts_as_aws_asks_for_it(cloud):
    """It may start executions of itself alone, and watch and end those of its parts alone."""
    own = {s.actions: s.resources for s in cloud.roles[HOUR_ROLL_UP] if set(s.actions) <= PARTS_ARE_RUN}
    (machine,) = state_machines_of(cloud, "HourRollUp")
    assert own == {
        ("states:StartExecution",): (machine,),
        ("states:DescribeExecution", "states:StopExecution"): (
            f"{machine.replace(':stateMachine:', ':execution:')}/*",
        ),
    }


def test_everything_that_is_written_once_is_locked_and_the_pointer_is_not(cloud):
    """Each model, verdict and ledger entry that a function wrote carries a retention; pointers don't."""
    s3, locked = cloud.client("s3"), {}
    bucket = cloud.stores.registry_bucket._name
    for item in s3.list_object_versions(Bucket=bucket)["Versions"]:
        head = s3.head_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])
        locked.setdefault(item["Key"].split("/")[0], set()).add("ObjectLockMode" in head)
    retained = {
        item.call.resource.split(":::")[1].split("/")[1]
        for item in cloud.calls
        if item.call.action == "s3:PutObjectRetention"
    }
    assert retained == {"models", "evidence", "ledger", "ledger-seals"}
    assert locked["pointers"] == {False}
