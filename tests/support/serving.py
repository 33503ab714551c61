"""A predictor over buckets in memory, with models made by hand: no training, no network, no clock."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from predictor.app import create_app
from predictor.gateway import gateway
from selfheal.contract import Contract, default_contract
from selfheal.errors import StoreUnavailable
from selfheal.records.manifest import Artefact, DataWindow, Lineage, Manifest
from selfheal.records.pointer import Pointer
from selfheal.stores.bucket import StoredObject
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.serve.production_model import ProductionModel

EVENTS = Path(__file__).parents[2] / "events"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROW = {
    "revolving_utilization": 0.31,
    "age": 45,
    "past_due_30_59": 0,
    "debt_ratio": 0.35,
    "monthly_income": 5400,
    "open_credit_lines": 8,
    "past_due_90": 0,
    "real_estate_loans": 1,
    "past_due_60_89": 0,
    "dependents": None,
}


def event(name: str) -> dict[str, Any]:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def linear_model(contract: Contract, *, intercept: float = -1.0, threshold: float = 0.5) -> bytes:
    """A model.json that adds up the numeric features, each in hundredths; missing counts as zero."""
    kinds = [{"name": n, "kind": "category" if f.is_category else "number"} for n, f in contract.features.items()]
    numeric = [index for index, kind in enumerate(kinds) if kind["kind"] == "number"]
    impute = {"kind": "impute", "value": 0.0}
    model = {
        "format": "selfheal-model",
        "format_version": 1,
        "features": kinds,
        "blocks": [{"kind": "number", "feature": index, "steps": [impute]} for index in numeric],
        "estimator": {"kind": "linear", "intercept": intercept, "coefficients": [0.01] * len(numeric)},
        "calibration": None,
        "threshold": threshold,
    }
    return json.dumps(model).encode()


def write_version(
    stores: Stores,
    version: str,
    *,
    contract: Contract | None = None,
    model: bytes | None = None,
    examples: tuple[dict[str, Any], ...] = (),
) -> None:
    contract = contract or default_contract()
    body = linear_model(contract) if model is None else model
    manifest = Manifest(
        version=version,
        created_at=NOON,
        contract=contract,
        data=DataWindow(rows=1, positives=1, oldest=NOON, newest=NOON, fingerprint=""),
        evaluation_from=None,
        lineage=Lineage(parent_version=None, execution=None, trigger="bootstrap"),
        seed=0,
        candidates=(),
        metrics={"f1": 0.5},
        threshold=0.5,
        positive_value="1",
        negative_value="0",
        libraries={},
        artefacts={"model.json": Artefact(sha256=hashlib.sha256(body).hexdigest(), size=len(body))},
        examples=examples,
    )
    stores.models.write(manifest, {"model.json": body})


def promote(stores: Stores, version: str) -> None:
    pointer = Pointer(version=version, promoted_at=NOON, previous_version=None, decision_id=version)
    stores.registry_bucket.put("pointers/production.json", pointer.to_json())


class FailingBucket(MemoryBucket):
    """A bucket that can be switched off; writes then raise as an unreachable S3 does."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False

    def get(self, key: str) -> StoredObject:
        self._fail_if_down()
        return super().get(key)

    def create(self, key: str, body: bytes) -> str:
        self._fail_if_down()
        return super().create(key, body)

    def put(self, key: str, body: bytes) -> str:
        self._fail_if_down()
        return super().put(key, body)

    def _fail_if_down(self) -> None:
        if self.down:
            raise StoreUnavailable("switched off")


@dataclass
class RecordingTelemetry:
    lines: list[str] = field(default_factory=list)
    rows: int = 0
    problems: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def unlogged(self, lines, rows):
        self.lines.extend(lines)
        self.rows += rows

    def stale(self, problem):
        self.problems.append(problem)

    def failed(self, error):
        self.failures.append(error)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class World:
    """One predictor, its stores and its time."""

    def __init__(self, check_seconds: float = 15) -> None:
        self.data = FailingBucket()
        self.registry = FailingBucket()
        self.stores = Stores(self.data, self.registry)
        self.telemetry = RecordingTelemetry()
        self.now = NOON
        self.model = ProductionModel(self.stores.pointer, self.stores.models, check_seconds)
        self.app = create_app(self.stores, self.model, lambda: self.now, self.telemetry)
        self._handler = gateway(self.app)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        request = event("http_predict")
        path, _, request["rawQueryString"] = path.partition("?")
        request["rawPath"] = request["requestContext"]["http"]["path"] = path
        request["requestContext"]["http"]["method"] = method
        request["headers"] |= headers or {}
        request["body"] = body if isinstance(body, str) else json.dumps(body)
        return self.send(request)

    def send(self, request: dict[str, Any]) -> Reply:
        answered = self._handler(request, None)
        assert answered["isBase64Encoded"] is False
        return Reply(answered["statusCode"], answered["headers"], answered["body"])

    def predict(self, body: Any, **headers: str) -> Reply:
        return self.call("POST", "/predict", body, headers)

    def logged(self) -> list[dict[str, Any]]:
        bodies = [self.data.get(key).body for key in self.data.keys("predictions/")]
        return [json.loads(line) for body in bodies for line in body.splitlines()]


def serving_world(check_seconds: float = 15) -> World:
    """A world whose version v1 is in production."""
    world = World(check_seconds)
    write_version(world.stores, "v1")
    promote(world.stores, "v1")
    return world
