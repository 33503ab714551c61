"""A stage whose predictions are logged by a stream: the same template, its rights, and what monitoring makes of it."""

import base64
import gzip
import json
from contextlib import closing
from datetime import timedelta

import httpx
import pytest

from infra.local import LocalCloud, synthesised
from infra.local.moto_adaptations import FIREHOSE
from selfheal.contract import default_contract
from selfheal.prefixes import PREDICTIONS, UNDELIVERED
from selfheal_tools.demo.traffic import as_json_rows
from selfheal_tools.simulation.credit import credit_rows
from tests.e2e.test_least_privilege import is_enough, lessened, recorded, rights
from tests.support.small_loop import START, SmallLoop
from tests.support.templates import GUARDED

# What Firehose does by itself with its bucket and its log, none of which is a call here.
# https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html
DOCUMENTED = {
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:GetBucketLocation",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "logs:PutLogEvents",
    "kms:Decrypt",
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """A cloud that has answered requests of every kind, and whose stream got a record that isn't one of ours."""
    assembly = synthesised(prediction_log="firehose", **GUARDED)
    with LocalCloud.deploy(assembly, start=START, work_dir=tmp_path_factory.mktemp("stream")) as deployed:
        with closing(SmallLoop(deployed)) as loop:
            assert httpx.get(f"{deployed.url}/model", timeout=60).status_code == 503
            loop.bootstrap()
            loop.live(1)
            answers = requests_of_every_kind(loop)
            assert answers[0] == answers[1]
            (stream,) = deployed.client("firehose").list_delivery_streams()["DeliveryStreamNames"]
            deployed.client("firehose").put_record(DeliveryStreamName=stream, Record={"Data": b"not ours\n"})
            deployed.settle()
        yield deployed


def requests_of_every_kind(loop: SmallLoop) -> list[dict]:
    """The same request twice under one key, and a label of one of its rows."""
    features, _ = credit_rows(loop._rng, 3)
    url, body = loop.cloud.url, {"rows": as_json_rows(features, loop.contract)}
    answers = [
        httpx.post(f"{url}/predict", json=body, headers={"idempotency-key": "once"}, timeout=60).json()
        for _ in range(2)
    ]
    label = {"prediction_id": answers[0]["predictions"][0]["prediction_id"], "label": 1}
    assert httpx.post(f"{url}/labels", json={"labels": [label]}, timeout=60).status_code < 300
    return answers


def test_every_prediction_is_delivered_and_monitoring_reads_it(cloud):
    """The predictor writes no object of the log; the hours' roll-ups hold what the stream delivered."""
    keys = list(cloud.stores.data.keys(PREDICTIONS))
    assert keys
    assert all(key.endswith(".jsonl.gz") for key in keys)
    lines = [line for key in keys for line in gzip.decompress(cloud.stores.data.get(key).body).splitlines()]
    ids = [json.loads(line)["prediction_id"] for line in lines]
    assert len(ids) == len(set(ids)) + 3  # the retried request, whose rows readers count once
    assert any(cloud.stores.rollups.hours_between(START, cloud.clock.now).values())
    window = cloud.stores.history.window(START, cloud.clock.now + timedelta(hours=1), default_contract())
    assert sorted(window.prediction_ids) == sorted(set(ids))


def test_what_the_stream_can_t_place_lies_below_the_prefix_of_errors(cloud):
    """With what it was, so that it can be put back."""
    (key,) = cloud.stores.data.keys(UNDELIVERED)
    (line,) = gzip.decompress(cloud.stores.data.get(key).body).splitlines()
    assert base64.b64decode(json.loads(line)["rawData"]) == b"not ours"


def test_nobody_was_refused_anything(cloud):
    """No call needs more than the stage's roles allow."""
    refused = {(item.caller, item.call.action, item.call.resource) for item in cloud.calls if not item.allowed}
    assert not refused


@pytest.mark.parametrize("caller", ["predictor", FIREHOSE])
def test_no_part_of_a_statement_can_be_left_out(cloud, caller):
    """Without any one action, resource, prefix or value of a condition, a call would be refused."""
    calls = recorded(cloud, caller)
    statements = [statement for statement in rights(cloud, caller) if not set(statement.actions) <= DOCUMENTED]
    unused = [
        part
        for statement in statements
        for part, less in lessened(statement)
        if part not in DOCUMENTED and is_enough([less if other is statement else other for other in statements], calls)
    ]
    assert calls
    assert not unused, f"{caller} doesn't need {unused}"


def test_the_streams_role_has_what_aws_documents_and_no_more(cloud):
    """Beside what it is seen to do here."""
    actions = {action for statement in rights(cloud, FIREHOSE) for action in statement.actions}
    assert actions == {*DOCUMENTED, "s3:PutObject", "kms:GenerateDataKey"}
