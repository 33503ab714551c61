"""The entry points of predictor and labels, over moto, from the events that AWS sends."""

import io
import json

import boto3
import pytest
from moto import mock_aws

import labels.handler
import predictor.handler
from predictor.telemetry import FunctionLog
from selfheal.composition import settings_of, stores_of
from selfheal.settings import PredictorSettings
from tests.support.serving import event, promote, write_version


@pytest.fixture
def stores(monkeypatch):
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SELFHEAL_DATA_BUCKET": "data",
        "SELFHEAL_REGISTRY_BUCKET": "registry",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    predictor.handler.application.cache_clear()
    labels.handler.stores.cache_clear()
    with mock_aws():
        for name in ("data", "registry"):
            boto3.client("s3").create_bucket(Bucket=name)
        yield stores_of(settings_of(PredictorSettings))
    predictor.handler.application.cache_clear()
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


def test_a_label_event_is_ingested(stores):
    """From the encoded key of the event to the accepted labels."""
    body = b"prediction_id,label\n01JNKQ2Z7W3F8V5T0C9XG4H6RM-0000,1\n"
    stores.data.put("labels/incoming/march 2026/week #1.csv", body)
    answer = labels.handler.handler(event("s3_labels_uploaded"), None)
    assert [(r["upload"], r["accepted"], r["rejected"]) for r in answer["reports"]] == [
        ("march 2026/week #1.csv", 1, 0)
    ]


def test_telemetry_prints_replay_lines_as_they_are_and_no_value_of_a_failure(capsys, monkeypatch):
    """Lines are whole lines of the log, metrics are counted, and an error's message stays inside."""
    log = FunctionLog()
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
    assert "StoreUnavailable" in printed
    assert "ValueError" in printed
    assert "secret-value" not in printed
