"""The entry points of predictor and labels, over moto, from the events that AWS sends."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

import labels.handler
import predictor.handler
from predictor.telemetry import FunctionLog
from selfheal.composition import settings_of, stores_of
from selfheal.records.predictions import moment_of
from selfheal.settings import PredictorSettings
from tests.support.serving import event, promote, write_version

LABELLED = "01JNKQ2Z7W3F8V5T0C9XG4H6RM-0000"


@pytest.fixture
def stores(monkeypatch, moto_endpoint):
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": moto_endpoint,
        "SELFHEAL_DATA_BUCKET": "data",
        "SELFHEAL_METRICS_NAMESPACE": "selfheal-test",
        "SELFHEAL_REGISTRY_BUCKET": "registry",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    predictor.handler.application.cache_clear()
    labels.handler.settings.cache_clear()
    labels.handler.stores.cache_clear()
    clear = boto3.resource("s3")
    for name in ("data", "registry"):
        clear.create_bucket(Bucket=name)
    yield stores_of(settings_of(PredictorSettings))
    for name in ("data", "registry"):
        clear.Bucket(name).objects.all().delete()
        clear.Bucket(name).delete()
    predictor.handler.application.cache_clear()
    labels.handler.settings.cache_clear()
    labels.handler.stores.cache_clear()


def test_an_environment_starts_empty_and_answers_once_a_model_is_there(stores):
    """Init succeeds on an empty registry; the first model is taken without a restart; the log is in S3."""
    assert predictor.handler.handler(event("http_predict"), None)["statusCode"] == 503
    write_version(stores, "v1")
    promote(stores, "v1")
    answer = predictor.handler.handler(event("http_predict"), None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["logged"] is True
    assert len(list(stores.data.keys("predictions/"))) == 1


def uploaded(stores) -> dict[str, Any]:
    """Put a file where the sample event says that one lies; the event, with that file's ETag."""
    body = f"prediction_id,label\n{LABELLED},1\n".encode()
    told = event("s3_labels_uploaded")
    told["Records"][0]["s3"]["object"]["eTag"] = stores.data.put("labels/incoming/march 2026/week #1.csv", body).strip(
        '"'
    )
    return told


def test_a_label_event_is_ingested(stores):
    """From the encoded key of the event to the accepted labels."""
    answer = labels.handler.handler(uploaded(stores), None)
    assert [(r["upload"], r["accepted"], r["rejected"]) for r in answer["reports"]] == [
        ("march 2026/week #1.csv", 1, 0)
    ]


def test_a_file_that_is_refused_whole_is_counted(stores, capsys):
    """What nobody looks for rings an alarm: a file that was gone before it was read, or that can't be read."""
    labels.handler.handler(event("s3_labels_uploaded"), None)
    assert '"RefusedUploads":[1.0]' in capsys.readouterr().out
    labels.handler.handler(uploaded(stores), None)
    assert "RefusedUploads" not in capsys.readouterr().out


def test_a_label_without_a_time_has_that_of_its_upload(stores):
    """However late Lambda comes to it: the event says when the file was uploaded."""
    labels.handler.handler(uploaded(stores), None)
    made = moment_of(LABELLED)
    (label,) = stores.labels.of_predictions_between(made, made + timedelta(seconds=1)).values()
    assert label.label_timestamp == label.received_at == datetime(2026, 3, 2, 9, 30, 0, 123_000, tzinfo=UTC)


def test_telemetry_prints_replay_lines_as_they_are_and_no_value_of_a_failure(capsys, monkeypatch):
    """Lines are whole lines of the log, metrics are counted, and an error's message stays inside."""
    log = FunctionLog("selfheal-test")
    log.unlogged(['{"kind":"selfheal-replay"}'], rows=3)
    log.stale("StoreUnavailable")
    try:
        int("secret-value")
    except ValueError as error:
        log.failed(error)
    printed = capsys.readouterr().out
    lines = list(io.StringIO(printed))
    assert lines[0] == '{"kind":"selfheal-replay"}\n'
    metrics = [json.loads(line) for line in lines if "_aws" in line]
    assert metrics[0]["UnloggedPredictions"] == [3.0]
    assert {metric["_aws"]["CloudWatchMetrics"][0]["Namespace"] for metric in metrics} == {"selfheal-test"}
    assert "StoreUnavailable" in printed
    assert "ValueError" in printed
    assert "secret-value" not in printed


HEAVY = {"pandas", "sklearn", "scipy", "joblib", "pyarrow", "numpy", "boto3", "aws_lambda_powertools", "jinja2"}
ANSWER_AND_TELL = """
import json, sys
import predictor.handler
event = json.load(sys.stdin)
answer = predictor.handler.handler(event, None)
print(answer["statusCode"], *sys.modules)
"""


def test_a_cold_answer_loads_nothing_that_it_doesn_t_need(stores):
    """From the entry point to a logged prediction: no data science, no SDK client, no toolkit is imported."""
    write_version(stores, "v1")
    promote(stores, "v1")
    found = subprocess.run(
        [sys.executable, "-c", ANSWER_AND_TELL],
        input=json.dumps(event("http_predict")),
        capture_output=True,
        text=True,
        check=True,
        env=dict(os.environ),
    )
    status, *modules = found.stdout.split()
    assert status == "200"
    assert {"fastapi.routing", "selfheal.usecases.serve.predict"} <= set(modules)
    assert not {name.split(".")[0] for name in modules} & HEAVY
    assert not {"botocore.client", "botocore.session"} & set(modules)
    assert len(list(stores.data.keys("predictions/"))) == 1


def test_a_restored_snapshot_renews_what_it_must_not_share(stores, monkeypatch):
    """SnapStart clones connections and credentials: both are made anew, and the pointer is looked at again."""
    hooks = []
    restore = SimpleNamespace(register_after_restore=hooks.append)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", restore)
    write_version(stores, "v1")
    promote(stores, "v1")
    assert version_that_answers() == "v1"
    write_version(stores, "v2")
    promote(stores, "v2")
    assert version_that_answers() == "v1"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "renewed")
    for hook in hooks:
        hook()
    assert version_that_answers() == "v2"


def version_that_answers() -> str:
    return json.loads(predictor.handler.handler(event("http_predict"), None)["body"])["model_version"]
