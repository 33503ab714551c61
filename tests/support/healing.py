"""Healings over buckets in memory: one feature, models made by hand, traffic whose truth is known."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract, parse_contract
from selfheal.data.parquet import fingerprint, from_parquet, to_parquet
from selfheal.errors import HealingRefused, StoreUnavailable
from selfheal.models.formats import WRITTEN
from selfheal.records.artefacts import REFERENCE, TRAINING
from selfheal.records.healing import Healing, Training, Trigger
from selfheal.records.labels import Label
from selfheal.records.manifest import DataWindow, Lineage, Manifest
from selfheal.records.predictions import Prediction, new_request_id, prediction_id
from selfheal.stores.collection import Stores
from selfheal.stores.executions import Execution
from selfheal.stores.memory import MemoryBucket
from selfheal.tables.dataset import Dataset
from selfheal.usecases.heal.conclude import promote_first
from selfheal.usecases.registry.train import described

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
DRIFT = Trigger(kind="drift", reason="x moved")

CONTRACT = parse_contract("""
[model]
name = "small"
target = "y"
[features.x]
type = "number"
[features.group]
type = "category"
[[segments]]
feature = "group"
""")


@dataclass
class FakeExecutions:
    """Refuses a second execution of a name, as Step Functions does."""

    started: list[Healing] = field(default_factory=list)
    statuses: dict[str, str] = field(default_factory=dict)

    def start(self, healing: Healing) -> None:
        if healing.execution in self.statuses:
            raise HealingRefused(f"healing {healing.execution} was started before; wait for its end")
        self.started.append(healing)
        self.statuses[healing.execution] = "RUNNING"

    def recent(self) -> Sequence[Execution]:
        return [Execution(name, status) for name, status in reversed(self.statuses.items())]


@dataclass
class FakeNotifications:
    """Takes every message, or none while it is down."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    down: bool = False

    def send(self, subject: str, body: str) -> None:
        if self.down:
            raise StoreUnavailable("SNS didn't take the message")
        self.sent.append((subject, body))


def memory_stores() -> Stores:
    return Stores(MemoryBucket(), MemoryBucket())


def healed_environment(contract: Contract = CONTRACT, stores: Stores | None = None) -> tuple[Stores, Healing]:
    """v1 (blind to x) in production, v2 (right about x) trained; and the healing that trained it."""
    stores = stores or memory_stores()
    promote_first(stores, write_version(stores, "v1", slope=0.0, contract=contract), now=START, actor="test")
    write_version(stores, "v2", slope=2.0, contract=contract, evaluation_from=START + 9 * DAY)
    return stores, healing_of(stores)


def healing_of(stores: Stores, execution: str = "v1-0", started_at: datetime = START + 10 * DAY) -> Healing:
    production = stores.pointer.read()
    return Healing(
        execution=execution,
        request_id="request",
        started_at=started_at,
        production_version=production.pointer.version,
        production_decision=production.pointer.decision_id,
        trigger=DRIFT,
    )


def trained(version: str = "v2", evaluation_from: datetime = START + 9 * DAY) -> Training:
    return Training(outcome="trained", reason="enough", version=version, evaluation_from=evaluation_from)


def write_version(
    stores: Stores,
    version: str,
    *,
    slope: float,
    contract: Contract = CONTRACT,
    evaluation_from: datetime | None = None,
    created_at: datetime = START,
    newest: datetime = START - HOUR,
) -> Manifest:
    """A version whose probability is expit(slope * x)."""
    artefacts = {WRITTEN.file: model_json(slope), **frozen_rows()}
    manifest = Manifest(
        version=version,
        created_at=created_at,
        contract=contract,
        data=DataWindow(
            rows=1,
            positives=1,
            oldest=START - DAY,
            newest=newest,
            fingerprint=fingerprint(from_parquet(artefacts[TRAINING], contract)),
        ),
        evaluation_from=evaluation_from,
        lineage=Lineage(parent_version=None, execution=None, trigger="bootstrap"),
        seed=0,
        candidates=(),
        metrics={},
        threshold=0.5,
        positive_value="1",
        negative_value="0",
        libraries={},
        artefacts=described(artefacts),
    )
    return stores.models.write(manifest, artefacts)


def frozen_rows() -> dict[str, bytes]:
    """Training set and reference of a version made by hand: one row."""
    features = pd.DataFrame({"x": [0.0], "group": pd.Series(["a"], dtype=object)})
    moment = np.array([(START - HOUR).replace(tzinfo=None)], dtype="datetime64[us]")
    row = Dataset(np.array(["base-0"], dtype=object), moment, features, np.array([1], dtype=np.int8))
    return {TRAINING: to_parquet(row), REFERENCE: to_parquet(row)}


def model_json(slope: float) -> bytes:
    return json.dumps(
        {
            "format": "selfheal-model",
            "format_version": 1,
            "features": [{"name": "x", "kind": "number"}, {"name": "group", "kind": "category"}],
            "blocks": [{"kind": "number", "feature": 0, "steps": [{"kind": "impute", "value": 0.0}]}],
            "estimator": {"kind": "linear", "intercept": 0.0, "coefficients": [slope]},
            "calibration": None,
            "threshold": 0.5,
        }
    ).encode()


def traffic(
    stores: Stores,
    *,
    since: datetime,
    rows: int,
    every: timedelta = timedelta(minutes=1),
    label_delay: timedelta | None = timedelta(minutes=30),
    labelled_share: float = 1.0,
    choosy: bool = False,
    slope: float = 2.0,
    spread: float = 1.0,
    seed: int = 0,
) -> list[str]:
    """Rows one by one, their truth drawn from expit(slope * x); returns the prediction ids, oldest first.

    `spread`: the standard deviation of x.

    `choosy`: rows with x below 0 get a label only every fifth time.
    """
    rng = np.random.default_rng(seed)
    x = spread * rng.normal(size=rows)
    truth = rng.random(rows) < 1 / (1 + np.exp(-slope * x))
    moments = [since + position * every for position in range(rows)]
    ids = [
        _log(stores, moment, float(value), str(rng.choice(["a", "b"])))
        for moment, value in zip(moments, x, strict=True)
    ]
    if label_delay is not None:
        _label(
            stores, moments, ids, truth, label_delay, rng.random(rows) < np.where(choosy & (x < 0), 0.2, labelled_share)
        )
    return ids


def labelled_row(stores: Stores, moment: datetime, *, x: float, group: str) -> None:
    """One row of a caller, its label 1 after five minutes."""
    key = _log(stores, moment, x, group)
    _label(stores, [moment], [key], np.ones(1, bool), timedelta(minutes=5), np.ones(1, bool))


def _log(stores: Stores, moment: datetime, x: float, group: str) -> str:
    request = new_request_id(moment)
    key = prediction_id(request, 0)
    row = Prediction(
        prediction_id=key,
        timestamp=f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        model_version="v1",
        probability=0.5,
        prediction=1,
        features={"x": x, "group": group},
    )
    stores.prediction_log.append(request, [row])
    return key


def _label(
    stores: Stores,
    moments: Sequence[datetime],
    ids: Sequence[str],
    truth: NDArray[np.bool_],
    delay: timedelta,
    is_labelled: NDArray[np.bool_],
) -> None:
    labels = [
        Label(
            prediction_id=key,
            label=1 if positive else 0,
            label_timestamp=moment + delay,
            received_at=moment + delay,
        )
        for moment, key, positive, kept in zip(moments, ids, truth, is_labelled, strict=True)
        if kept
    ]
    stores.labels.accept(labels)
