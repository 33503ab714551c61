"""A canary for each adaptation of moto: it fails when a private name goes away or means something else."""

import base64
import gzip
import json
import logging
import time
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from moto.awslambda.models import LambdaFunction
from moto.core.config import default_user_config
from moto.firehose.models import FirehoseBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from infra.local.clock import SimulatedClock
from infra.local.guard import Guard
from infra.local.moto_adaptations import adapted, served_at

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ROLE = "arn:aws:iam::123456789012:role/r"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


DESTINATION = {
    "BucketARN": "arn:aws:s3:::bucket",
    "RoleARN": ROLE,
    "Prefix": "log/dt=!{partitionKeyFromQuery:dt}/hh=!{partitionKeyFromQuery:hh}/",
    "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd}/",
    "FileExtension": ".jsonl.gz",
    "CompressionFormat": "GZIP",
    "ProcessingConfiguration": {
        "Processors": [
            {
                "Type": "RecordDeAggregation",
                "Parameters": [{"ParameterName": "SubRecordType", "ParameterValue": "JSON"}],
            },
            {
                "Type": "MetadataExtraction",
                "Parameters": [
                    {
                        "ParameterName": "MetadataExtractionQuery",
                        "ParameterValue": "{dt:.timestamp[0:10],hh:.timestamp[11:13]}",
                    }
                ],
            },
        ]
    },
}


class RecordingInvoker:
    def __init__(self):
        self.seen = []
        self.failures = 0

    def now(self, function, event):
        self.seen.append(("now", function, event))
        if self.failures:
            self.failures -= 1
            return json.dumps({"errorType": "Flaky", "errorMessage": "again"}), True
        return json.dumps({"answered": event}), False

    def later(self, function, event):
        self.seen.append(("later", function, event))


@pytest.fixture
def invoker():
    return RecordingInvoker()


@pytest.fixture
def clock(tmp_path):
    return SimulatedClock(tmp_path / "clock", START)


@pytest.fixture
def address(clock, invoker):
    with adapted(clock, invoker, Guard()) as server:
        yield server


@pytest.fixture
def client(address):
    def of(service):
        return boto3.client(
            service,
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )

    return of


@pytest.fixture
def function(client):
    """A function of an image; moto wants its role to exist."""
    lambda_may = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Statement": [lambda_may]}))
    client("lambda").create_function(
        FunctionName="f", Role=ROLE, PackageType="Image", Code={"ImageUri": "x.dkr.ecr/y:z"}, Timeout=3
    )


def executed(client, machine: str) -> dict:
    """A started execution, once it has ended."""
    states = client("stepfunctions")
    execution = states.start_execution(stateMachineArn=machine, name="once", input='{"a": 1}')["executionArn"]
    wait_for(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING")
    return states.describe_execution(executionArn=execution)


def wait_for(happened):
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def machine_of(client, **state) -> str:
    definition = {"StartAt": "S", "States": {"S": {"End": True, **state}}}
    return client("stepfunctions").create_state_machine(name="m", definition=json.dumps(definition), roleArn=ROLE)[
        "stateMachineArn"
    ]


def test_functions_are_run_by_the_invoker(client, function, invoker):
    """An invocation through the SDK reaches the invoker, which moto would have sent to Docker."""
    answer = client("lambda").invoke(FunctionName="f", Payload=b'{"a": 1}')
    assert json.loads(answer["Payload"].read()) == {"answered": {"a": 1}}
    assert invoker.seen == [("now", "f", {"a": 1})]


def test_a_functions_error_is_marked_as_one(client, function, invoker):
    """The header that tells an error from an answer is set."""
    invoker.failures = 1
    answer = client("lambda").invoke(FunctionName="f", Payload=b"{}")
    assert answer["FunctionError"] == "Handled"
    assert json.loads(answer["Payload"].read())["errorType"] == "Flaky"


def test_state_machines_execute_and_call_this_server(client, function, invoker):
    """A task's function is invoked through the server that the state machine lives in."""
    ended = executed(client, machine_of(client, Type="Task", Resource=FUNCTION))
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", {"answered": {"a": 1}})


def map_of_two(client) -> str:
    """A Distributed Map of the fields that ours has, over two items."""
    client("s3").create_bucket(Bucket="bucket")
    client("s3").put_object(Bucket="bucket", Key="m.json", Body=b'[{"part": "x"}, {"part": "y"}]')
    return machine_of(
        client,
        Type="Map",
        ItemReader={
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": "bucket", "Key": "m.json"},
        },
        ItemSelector={"a.$": "$.a", "part.$": "$$.Map.Item.Value.part"},
        MaxConcurrency=2,
        ToleratedFailureCount=0,
        ItemProcessor={
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "T",
            "States": {"T": {"Type": "Task", "Resource": FUNCTION, "End": True}},
        },
        ResultPath=None,
    )


def test_a_distributed_map_reads_its_manifest_and_runs_each_item(client, function, invoker):
    """Items of a JSON object in S3 and chosen fields of the input reach the function; the input goes on."""
    ended = executed(client, map_of_two(client))
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", {"a": 1})
    assert sorted(event["part"] for _, _, event in invoker.seen if event["a"] == 1) == ["x", "y"]


def test_a_distributed_map_fails_with_one_of_its_items(client, function, invoker):
    """No failure is tolerated."""
    invoker.failures = 1
    ended = executed(client, map_of_two(client))
    assert (ended["status"], ended["error"]) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    assert ended["cause"] == "1 of 2 items failed"


def test_a_state_machine_calls_under_its_own_name(clock, invoker):
    """Two machines with two roles: what each calls is decided on, and recorded, by its own role."""
    guard = Guard(roles={"one": [], "two": []}, names={ROLE: "one", f"{ROLE}2": "two"})
    with adapted(clock, invoker, guard) as address:
        states = boto3.client(
            "stepfunctions",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )
        definition = {"StartAt": "S", "States": {"S": {"Type": "Task", "Resource": FUNCTION, "End": True}}}
        for name, role in (("m1", ROLE), ("m2", f"{ROLE}2")):
            made = states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
            execution = states.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]
            wait_for(lambda ran=execution: states.describe_execution(executionArn=ran)["status"] == "FAILED")
    assert [(made.caller, made.call.action, made.allowed) for made in guard.calls] == [
        ("one", "lambda:InvokeFunction", False),
        ("two", "lambda:InvokeFunction", False),
    ]


def test_state_machines_made_by_cloudformation_execute(client):
    """CloudFormation puts state machines where they are executed, not only stored."""
    definition = {"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": 7, "End": True}}}
    properties = {"DefinitionString": json.dumps(definition), "RoleArn": ROLE}
    template = {"Resources": {"M": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}}
    client("cloudformation").create_stack(StackName="s", TemplateBody=json.dumps(template))
    (machine,) = client("stepfunctions").list_state_machines()["stateMachines"]
    assert executed(client, machine["stateMachineArn"])["output"] == "7"


def test_retries_do_not_pause(client, function, invoker):
    """A back-off of an hour passes at once."""
    invoker.failures = 2
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 3600, "MaxAttempts": 3}]
    assert executed(client, machine_of(client, Type="Task", Resource=FUNCTION, Retry=retry))["status"] == "SUCCEEDED"
    assert len(invoker.seen) == 3


def test_waits_end_when_the_simulated_clock_says_so(client, clock):
    """A wait of an hour blocks until the clock is moved, and no longer."""
    machine = machine_of(client, Type="Wait", Seconds=3600)
    states = client("stepfunctions")
    execution = states.start_execution(stateMachineArn=machine, name="once")["executionArn"]
    wait_for(lambda: clock.pending_waits() == [START + timedelta(hours=1)])
    clock.advance(timedelta(hours=1))
    wait_for(lambda: states.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")
    assert clock.pending_waits() == []


def test_a_stopped_execution_stops_waiting(client, clock):
    """Stopping an execution ends its wait without the clock."""
    machine = machine_of(client, Type="Wait", Seconds=3600)
    states = client("stepfunctions")
    execution = states.start_execution(stateMachineArn=machine, name="once")["executionArn"]
    wait_for(clock.pending_waits)
    states.stop_execution(executionArn=execution)
    wait_for(lambda: not clock.pending_waits())


def test_a_buckets_events_are_delivered_after_the_write(client, function, invoker, clock):
    """A put is answered without waiting for the function that it wakes; its event bears the simulated time."""
    clock.advance(timedelta(days=40))
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket")
    target = {"LambdaFunctionArn": FUNCTION, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="bucket", NotificationConfiguration={"LambdaFunctionConfigurations": [target]}
    )
    s3.put_object(Bucket="bucket", Key="k", Body=b"")
    ((how, name, event),) = invoker.seen
    (record,) = event["Records"]
    assert (how, name, record["s3"]["object"]["key"]) == ("later", "f", "k")
    assert datetime.fromisoformat(record["eventTime"]) == START + timedelta(days=40)


def test_a_stream_delivers_by_what_its_lines_say(client):
    """Lines of two records come out of them, each to the hour of its timestamp, compressed; others to the errors."""
    client("s3").create_bucket(Bucket="bucket")
    firehose = client("firehose")
    firehose.create_delivery_stream(
        DeliveryStreamName="s", DeliveryStreamType="DirectPut", ExtendedS3DestinationConfiguration=DESTINATION
    )
    lines = [f'{{"timestamp":"2026-03-0{day}T07:00:00.000Z"}}\n'.encode() for day in (1, 2, 2)]
    records = [{"Data": lines[0] + lines[1]}, {"Data": lines[2] + b"?\n"}]
    assert firehose.put_record_batch(DeliveryStreamName="s", Records=records)["FailedPutCount"] == 0
    found = {}
    for item in client("s3").list_objects_v2(Bucket="bucket")["Contents"]:
        body = client("s3").get_object(Bucket="bucket", Key=item["Key"])["Body"].read()
        found[item["Key"].rpartition("/")[0]] = gzip.decompress(body)
        assert item["Key"].endswith(".gz")
    wrong = json.loads(found.pop("errors/processing-failed/2026-03-02"))
    assert base64.b64decode(wrong["rawData"]) == b"?"
    assert found == {"log/dt=2026-03-01/hh=07": lines[0], "log/dt=2026-03-02/hh=07": lines[1] * 2}


def test_a_host_is_looked_up_once(address):
    """What a host name stands for is remembered, and the same as moto says."""
    application, host = DomainDispatcherApplication(lambda _: None), "s3.us-east-1.amazonaws.com"
    found = [application.get_backend_for_host(host) for _ in range(3)]
    remembered = DomainDispatcherApplication.get_backend_for_host
    assert (found, remembered.cache_info().hits) == (["s3"] * 3, 2)
    assert remembered.__wrapped__(application, host) == "s3"


def test_everything_is_taken_back(clock, invoker):
    """Outside the block moto is as it was, for whoever uses it next in this process."""
    names = [
        (LambdaFunction, "_invoke_lambda"),
        (WaitFunction, "_eval_body"),
        (FirehoseBackend, "put_s3_records"),
        (DomainDispatcherApplication, "get_backend_for_host"),
        (lambda_eval_utils, "boto_client_for"),
        (DistributedIterationComponent, "_map_run"),
    ]
    before = [getattr(holder, name) for holder, name in names]
    configured, level = dict(default_user_config), logging.getLogger("werkzeug").level
    with adapted(clock, invoker, Guard()):
        assert [getattr(holder, name) for holder, name in names] != before
    assert [getattr(holder, name) for holder, name in names] == before
    assert (default_user_config, logging.getLogger("werkzeug").level) == (configured, level)


def test_a_second_address_serves_the_same(address, client):
    """What can't reach the server's own address finds the same buckets at another address of this machine."""
    client("s3").create_bucket(Bucket="shared")
    with served_at("127.0.0.2", address) as other:
        assert other != address
        there = boto3.client(
            "s3", endpoint_url=other, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        assert [bucket["Name"] for bucket in there.list_buckets()["Buckets"]] == ["shared"]
    with served_at("127.0.0.1", address) as same:
        assert same == address
