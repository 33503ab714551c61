"""The entry point of shadow training, over moto, from the state that the state machine begins with."""

from collections.abc import Iterator
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

import shadow_training.handler
from selfheal.composition import settings_of, stores_of
from selfheal.data.labels import TargetValues
from selfheal.records.manifest import Lineage
from selfheal.settings import ShadowTrainingSettings
from selfheal.stores.collection import Stores
from selfheal.usecases.heal.conclude import promote_first
from selfheal.usecases.labels.labelled_rows import labelled_window
from selfheal.usecases.registry.train import train_version
from tests.support.healing import CONTRACT, DAY, START, healing_of, memory_stores, traffic

CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=128, invoked_function_arn="arn:aws:lambda:eu:1:function:f", aws_request_id="r"
)


@pytest.fixture
def stores(monkeypatch, tmp_path) -> Iterator[Stores]:
    """Empty buckets, two days after START."""
    clock = tmp_path / "clock"
    clock.write_text((START + 2 * DAY).isoformat())
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SELFHEAL_CLOCK_FILE": str(clock),
        "SELFHEAL_DATA_BUCKET": "data",
        "SELFHEAL_REGISTRY_BUCKET": "registry",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    shadow_training.handler._stores.cache_clear()
    with mock_aws():
        for name in ("data", "registry"):
            boto3.client("s3").create_bucket(Bucket=name)
        yield stores_of(settings_of(ShadowTrainingSettings))
    shadow_training.handler._stores.cache_clear()


def first_version(stores: Stores) -> None:
    elsewhere = memory_stores()
    traffic(elsewhere, since=START - DAY, rows=400, slope=-2.0)
    rows = labelled_window(elsewhere, CONTRACT, START - DAY, START).labelled
    manifest = train_version(
        stores.models,
        rows,
        CONTRACT,
        version="v1",
        now=START,
        lineage=Lineage(parent_version=None, execution=None, trigger="bootstrap"),
        evaluation_from=None,
        label_values=TargetValues("1", "0"),
    )
    promote_first(stores, manifest, now=START, actor="test")


def test_the_handler_trains_a_version_and_a_budget_ends_it_by_name(stores: Stores, monkeypatch):
    """What it returns is the state's `training`; with hardly any time the outcome is `failed`, and says what to do."""
    first_version(stores)
    traffic(stores, since=START, rows=500)
    event = {"healing": healing_of(stores, started_at=START + 2 * DAY).model_dump(mode="json")}
    monkeypatch.setenv("SELFHEAL_BUDGET_SECONDS", "0.000001")
    ended = shadow_training.handler.handler(event, CONTEXT)
    assert ended["outcome"] == "failed"
    assert "SELFHEAL_BUDGET_SECONDS" in ended["reason"]
    monkeypatch.delenv("SELFHEAL_BUDGET_SECONDS")
    trained = shadow_training.handler.handler(event, CONTEXT)
    assert trained["outcome"] == "trained"
    assert stores.models.manifest(trained["version"]).evaluation_from is not None
