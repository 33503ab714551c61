"""Buckets that release 0.1.0 left behind, under today's code: nothing is migrated, all goes on.

They hold a bootstrap, two days in which the world changed, a healing that promoted, and a pause that was ended.
(Reports for people are left out: nothing reads them.)
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from selfheal.healing.state import result_of
from selfheal.prefixes import PREDICTIONS
from selfheal.records.labels import Label
from selfheal.records.monitoring import DriftSummary
from selfheal.records.predictions import Prediction, new_request_id, prediction_id, timestamp_of
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.tables.dataset import typed_features
from selfheal.tables.table import columns_of
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.heal.train_shadow import train_shadow
from selfheal.usecases.monitor.monitor import monitor
from selfheal.usecases.registry.roll_back import roll_back
from selfheal.usecases.registry.verify import verify
from selfheal.usecases.serve.production_model import ProductionModel
from tests.support.healing import FakeExecutions, FakeNotifications

BUCKETS = json.loads(Path(__file__).with_name("buckets_of_0_1_0.json").read_text(encoding="utf-8"))
LEFT = datetime(2026, 3, 3, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST, SECOND = "20260301T000000Z-06a53dba", "20260303T120000Z-bb3212a1"


@pytest.fixture
def stores() -> Stores:
    made = {"data": MemoryBucket(), "registry": MemoryBucket()}
    for place, content in BUCKETS.items():
        name, _, key = place.partition("/")
        made[name].put(key, base64.b64decode(content["base64"]) if isinstance(content, dict) else content.encode())
    return Stores(made["data"], made["registry"])


def test_every_decision_is_still_proven(stores: Stores):
    """The ledger is whole, and the verdict follows from its evidence."""
    assert verify(stores).verdicts == 1
    assert [decision.kind for decision in stores.ledger.decisions()] == ["bootstrap", "promote"]


def test_a_version_answers_as_it_did(stores: Stores):
    """Every logged row gets the very probability that 0.1.0 gave it."""
    served = ProductionModel(stores.pointer, stores.models, 15).current(LEFT)
    assert served.manifest.version == SECOND
    rows = [
        json.loads(line)
        for _, body in stores.data.get_many(stores.data.keys(PREDICTIONS))
        for line in body.splitlines()
        if SECOND.encode() in line
    ]
    assert len(rows) == 30
    frame = typed_features(pd.DataFrame([row["features"] for row in rows]), served.manifest.contract)
    answers = served.evaluator.probabilities_of(columns_of(frame))
    assert answers.tolist() == [row["probability"] for row in rows]


def test_monitoring_goes_on_where_it_was(stores: Stores):
    """The log of 0.1.0 and its labels are judged, its last summary is taken up, and its roll-ups are read."""
    executions, notifications = FakeExecutions(), FakeNotifications()
    found = monitor(stores, executions, notifications, now=LEFT, schedule_minutes=60)
    summary = DriftSummary.model_validate_json(stores.monitoring.read(found.summary))
    contract = stores.models.manifest(SECOND).contract
    window = stores.history.window(LEFT - timedelta(days=3), LEFT, contract)
    assert len(window) == len(set(window.prediction_ids.tolist())) == 30 * 16
    assert summary.production_version == SECOND
    assert summary.usual_predictions > 0
    assert len(summary.timeline) > 1


def test_the_loop_goes_on(stores: Stores):
    """The world changes again: today's release trains beside a version of 0.1.0, promotes, and can go back to it."""
    executions, notifications, now = FakeExecutions(), FakeNotifications(), LEFT
    rng = np.random.default_rng(5)
    for _ in range(8):
        for _ in range(4):
            now = _lived(stores, now, rng)
        monitor(stores, executions, notifications, now=now, schedule_minutes=60)
        if executions.started:
            break
    healing = executions.started[-1]
    training = train_shadow(stores, healing, now)
    verdict = evaluate_gates(stores, healing, training, now)
    state = {"training": training.model_dump(mode="json"), "verdict": verdict.model_dump(mode="json")}
    decision = conclude(stores, healing, result_of(state), now).decision
    assert (decision.kind, decision.previous_version) == ("promote", SECOND)
    assert verify(stores).verdicts == 2
    back = roll_back(stores, FIRST, reason="to the first", actor="ann", now=now + HOUR)
    assert back.version == FIRST
    assert ProductionModel(stores.pointer, stores.models, 15).current(now + HOUR).manifest.version == FIRST


def _lived(stores: Stores, now: datetime, rng: np.random.Generator) -> datetime:
    """Three hours: a request of fifty rows of a world in which z decides, and its labels."""
    manifest = stores.models.manifest(stores.pointer.read().pointer.version)
    served = ProductionModel(stores.pointer, stores.models, 15).current(now)
    x, z, group = np.round(rng.normal(size=50), 2), np.round(rng.normal(size=50), 2), rng.choice(["a", "b"], 50)
    labels = rng.random(50) < 1 / (1 + np.exp(2 * x - 5 * z))
    frame = pd.DataFrame({"x": x, "z": z, "group": group.astype(object)})
    moment = now + HOUR / 2
    request = new_request_id(moment)
    answers = served.evaluator.probabilities_of(columns_of(typed_features(frame, manifest.contract)))
    logged = [
        Prediction(
            prediction_id=prediction_id(request, place),
            timestamp=timestamp_of(moment),
            model_version=manifest.version,
            probability=float(answer),
            prediction=int(answer >= served.evaluator.threshold),
            features=features,
        )
        for place, (answer, features) in enumerate(zip(answers, frame.to_dict("records"), strict=True))
    ]
    stores.prediction_log.append(request, logged)
    stores.labels.accept(
        Label(prediction_id=row["prediction_id"], label=int(label), label_timestamp=moment, received_at=now + 3 * HOUR)
        for row, label in zip(logged, labels, strict=True)
    )
    return now + 3 * HOUR
