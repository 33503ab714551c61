"""A deployment is rolled back: the release before it goes on with what the later one wrote."""

import json
from datetime import timedelta

import pytest

from selfheal.errors import RecordIncompatible
from selfheal.records.ledger import entry_hash
from selfheal.stores.bucket import Bucket
from selfheal.stores.collection import Stores
from selfheal.usecases.serve.production_model import ProductionModel
from tests.support.monitoring import CreditWorld
from tests.support.records import ADDED


@pytest.fixture
def world() -> CreditWorld:
    """A day of traffic, labels and monitoring, all of it written by a later release."""
    world = CreditWorld()
    world.hours(30)
    world.run()
    for bucket in (world.stores.data, world.stores.registry_bucket):
        for key in bucket.keys(""):
            if key.endswith(("manifest.json", "summary.json", "production.json")) or key.startswith("labels/accepted/"):
                _add_to_each_line(bucket, key)
    _promote_anew(world.stores)
    _add_to_the_ledger(world.stores)
    world.stores = Stores(world.stores.data, world.stores.registry_bucket)
    return world


def _add_to_each_line(bucket: Bucket, key: str) -> None:
    body = bucket.get(key).body
    parts = [body] if key.endswith(".json") else body.splitlines()
    bucket.put(key, b"".join(json.dumps(json.loads(part) | ADDED).encode() + b"\n" for part in parts))


def _promote_anew(stores: Stores) -> None:
    """The pointer holds the hash of the manifest as the later release wrote it."""
    key = "pointers/production.json"
    pointer = json.loads(stores.registry_bucket.get(key).body)
    promoted = {"manifest_sha256": stores.models.manifest_sha256(pointer["version"])}
    stores.registry_bucket.put(key, json.dumps(pointer | promoted).encode())


def _add_to_the_ledger(stores: Stores) -> None:
    previous = "0" * 64
    for key in stores.registry_bucket.keys("ledger/"):
        entry = json.loads(stores.registry_bucket.get(key).body) | ADDED | {"previous_hash": previous}
        previous = entry_hash(entry)
        stores.registry_bucket.put(key, json.dumps(entry | {"hash": previous}).encode())


def test_monitoring_and_serving_go_on(world: CreditWorld):
    """Pointer, manifest, ledger, labels and the summary of the run before are read as if nothing had been added."""
    model = ProductionModel(world.stores.pointer, world.stores.models, 15).current(world.now)
    assert model.version == "v1"
    world.hours(1)
    summary = world.summary(world.run())
    assert (summary.verdict, summary.coverage.labelled > 0) == ("no_drift", True)
    assert world.notifications.sent == []
    assert [decision.kind for decision in world.stores.ledger.decisions()] == ["bootstrap"]


@pytest.mark.parametrize("body", [b"{}", b"not JSON", b'{"schema_version": 7}'])
def test_a_summary_that_can_t_be_read_stops_no_run(world: CreditWorld, body: bytes):
    """The run after it has no alarm to go on with; people may be told once more, and the loop goes on."""
    world.stores.data.put(f"monitoring/dt={world.now:%Y-%m-%d}/{world.now:%H%M%S}/summary.json", body)
    world.now += timedelta(minutes=30)
    assert world.summary(world.run()).verdict == "no_drift"


def test_a_version_that_would_be_misread_is_refused_by_name(world: CreditWorld):
    """A predictor that starts says what it can't read; one that has a model goes on with it and says so."""
    serving = ProductionModel(world.stores.pointer, world.stores.models, 15)
    serving.current(world.now)
    registry = world.stores.registry_bucket
    pointer = json.loads(registry.get("pointers/production.json").body)
    registry.put("pointers/production.json", json.dumps(pointer | {"schema_version": 7}).encode())
    assert serving.current(world.now + timedelta(minutes=1)).version == "v1"
    assert serving.problem == "RecordIncompatible"
    with pytest.raises(RecordIncompatible, match="this Pointer has schema version 7"):
        ProductionModel(world.stores.pointer, world.stores.models, 15).current(world.now)
