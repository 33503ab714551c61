"""Several classes and numbers through the whole loop, in memory: bootstrap, answers, labels, drift, healing, verify."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from selfheal.contract import Contract, parse_contract
from selfheal.contract.request import Rows
from selfheal.data.labels import TargetValues
from selfheal.healing.state import result_of
from selfheal.records.labels import IngestionReport, Upload
from selfheal.records.monitoring import DriftSummary
from selfheal.records.predictions import Prediction
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.tables.dataset import Dataset, typed_features
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.heal.train_shadow import train_shadow
from selfheal.usecases.labels.ingest import ingest_labels
from selfheal.usecases.monitor.monitor import monitor
from selfheal.usecases.registry.bootstrap import bootstrap
from selfheal.usecases.registry.verify import verify
from selfheal.usecases.serve.predict import predict
from selfheal.usecases.serve.production_model import ProductionModel
from tests.support.healing import FakeExecutions, FakeNotifications

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BASE_ROWS, ROWS_AN_HOUR = 1200, 40
REST = """
[features.x]
type = "number"
[features.z]
type = "number"
nullable = true
[features.group]
type = "category"
[[segments]]
feature = "group"
[policy.monitoring]
lookback_hours = 12
minimum_predictions = 100
[policy.retraining]
minimum_labels = 100
retry_hours = 1
label_wait_hours = 6
[policy.gates]
minimum_samples = 150
cooldown_days = 1
[policy.probation]
days = 2
"""
HEADER = '[model]\nname = "small"\ntarget = "y"\n'
CLASSES = parse_contract(f'{HEADER}task = "multiclass"\n{REST}')
NUMBERS = parse_contract(f'{HEADER}task = "regression"\nminimum = -500\n{REST}')
NAMES = np.array(["low", "middle", "high"], dtype=object)


class Life:
    """An environment whose labels follow from x until `slope` changes; every row is answered, labelled and judged."""

    def __init__(self, contract: Contract) -> None:
        self.contract, self.now = contract, START
        self.data = MemoryBucket()
        self.stores = Stores(self.data, MemoryBucket())
        self.executions, self.notifications = FakeExecutions(), FakeNotifications()
        self.slope, self.offset = 2.0, 0.0
        self.uploads: list[IngestionReport] = []
        self._rng = np.random.default_rng(3)
        features, labels = self._rows(BASE_ROWS)
        moments = np.datetime64(START.replace(tzinfo=None), "us") - np.arange(BASE_ROWS)[::-1] * np.timedelta64(60, "s")
        ids = np.array([f"base-{row:06d}" for row in range(BASE_ROWS)], dtype=object)
        classes = tuple(NAMES) if contract is CLASSES else ()
        coded = np.array([classes.index(name) for name in labels], dtype=np.int8) if classes else labels
        rows = Dataset(ids, moments, typed_features(features, contract), coded)
        bootstrap(self.stores, rows, contract, TargetValues(classes=classes), now=START, actor="ann")

    def hours(self, hours: int) -> list[Prediction]:
        """So many hours of traffic, each labelled at its end by a file as users write it; the last hour's answers."""
        answered: list[Prediction] = []
        for _ in range(hours):
            features, labels = self._rows(ROWS_AN_HOUR)
            values = [
                {name: None if pd.isna(value) else value for name, value in row.items()}
                for row in features.to_dict("records")
            ]
            production = ProductionModel(self.stores.pointer, self.stores.models, 0.0)
            model = production.current(self.now)
            self.now += HOUR / 2
            answered = list(
                predict(model, self.stores.prediction_log, Rows(values, many=True), now=self.now).predictions
            )
            self.now += HOUR / 2
            lines = [f"{one['prediction_id']},{label}" for one, label in zip(answered, labels, strict=True)]
            self.upload("prediction_id,label\n" + "\n".join(lines))
        return answered

    def upload(self, text: str) -> IngestionReport:
        """Labels as a CSV file."""
        key = f"labels/incoming/{len(self.uploads)}.csv"
        self.data.put(key, text.encode())
        report = ingest_labels(self.stores, Upload(key=key, size=len(text), uploaded_at=self.now))
        self.uploads.append(report)
        return report

    def monitor(self) -> DriftSummary:
        """One look."""
        found = monitor(self.stores, self.executions, self.notifications, now=self.now, schedule_minutes=60)
        return DriftSummary.model_validate_json(self.stores.monitoring.read(found.summary))

    def heal(self) -> str:
        """The healing that the last look started, to its end: what was decided."""
        healing = self.executions.started[-1]
        training = train_shadow(self.stores, healing, self.now)
        verdict = evaluate_gates(self.stores, healing, training, self.now)
        state = {"training": training.model_dump(mode="json"), "verdict": verdict.model_dump(mode="json")}
        done = conclude(self.stores, healing, result_of(state), self.now)
        self.executions.statuses[healing.execution] = "SUCCEEDED"
        return f"{done.decision.kind}: {done.decision.reason}"

    def _rows(self, count: int) -> tuple[pd.DataFrame, np.ndarray]:
        x, z = self._rng.normal(size=count), self._rng.normal(size=count)
        level = self.slope * x + 0.5 * z + self.offset + 0.5 * self._rng.normal(size=count)
        z[self._rng.random(count) < 0.1] = np.nan
        features = pd.DataFrame({"x": x, "z": z, "group": self._rng.choice(["a", "b"], count).astype(object)})
        return features, NAMES[np.digitize(level, [-1.0, 1.0])] if self.contract is CLASSES else 50 + 10 * level


@pytest.fixture(scope="module", params=[CLASSES, NUMBERS], ids=["classes", "numbers"])
def life(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One life, and what was seen on the way."""
    life = Life(request.param)
    seen: dict[str, Any] = {"life": life, "calm_answers": life.hours(14), "calm": life.monitor()}
    life.slope = -2.0
    life.hours(14)
    seen["broken"] = life.monitor()
    # Enough of the new meaning to learn it from, and to judge by.
    life.hours(4)
    seen["decision"] = life.heal()
    seen["healed_answers"] = life.hours(14)
    seen["healed"] = life.monitor()
    # Tests upload more.
    seen["uploads"] = tuple(life.uploads)
    return seen


def metric(summary: DriftSummary, name: str) -> float:
    assert summary.performance is not None
    value = summary.performance.metrics[name].value
    assert value is not None
    return value


def test_answers_say_what_their_target_is(life: dict[str, Any]):
    """A class and a probability for each, or a number and its interval."""
    one = life["calm_answers"][0]
    if life["life"].contract is CLASSES:
        assert one["prediction"] in set(NAMES)
        assert list(one["probabilities"]) == list(NAMES)
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert one["probability"] == max(one["probabilities"].values())
    else:
        low, high = one["interval"]
        assert low < one["prediction"] < high
        assert one["probability"] is None


def test_every_label_of_the_kind_is_taken_in(life: dict[str, Any]):
    """As users write it, from a file."""
    assert {report.accepted for report in life["uploads"]} == {ROWS_AN_HOUR}


def test_an_unchanged_world_is_calm(life: dict[str, Any]):
    """No drift, no decay, good metrics, and estimates without labels that agree with what labels say."""
    calm = life["calm"]
    assert calm.verdict == "no_drift", calm.sentence
    name = "accuracy" if life["life"].contract is CLASSES else "mae"
    realised, estimated = calm.performance.metrics[name], calm.estimated_performance.metrics[name]
    assert estimated.value == pytest.approx(realised.value, rel=0.25)
    if life["life"].contract is NUMBERS:
        assert metric(calm, "interval_coverage") == pytest.approx(0.9, abs=0.06)


def test_a_changed_meaning_is_decay_that_healing_cures(life: dict[str, Any]):
    """The gates promote the mean of the old meaning and the new: at least a third of the loss is won back at once."""
    broken, healed = life["broken"], life["healed"]
    assert broken.decay.decayed
    assert broken.diagnosis.cause == "concept_drift"
    assert broken.healing.started
    assert life["decision"].startswith("promote"), life["decision"]
    if life["life"].contract is CLASSES:
        assert metric(healed, "brier") < 0.7 * metric(broken, "brier")
    else:
        assert metric(healed, "mae") < 0.7 * metric(broken, "mae")


def test_every_verdict_follows_from_its_evidence(life: dict[str, Any]):
    """The registry is whole, and each gate is recomputed from its rows."""
    assert verify(life["life"].stores).verdicts >= 1


def test_reports_are_drawn(life: dict[str, Any]):
    """The page of each look exists and names a metric of its kind."""
    bucket = life["life"].data
    pages = [bucket.get(key).body.decode() for key in bucket.keys("monitoring/") if key.endswith("report.html")]
    assert len(pages) == 3
    assert ("ccuracy" if life["life"].contract is CLASSES else "absolute error") in pages[-1]


def test_what_is_no_label_of_the_kind_is_refused_with_its_reason(life: dict[str, Any]):
    """A text among numbers, NaN, a number outside the limits; of classes that aren't listed only a blank."""
    keys = [one["prediction_id"] for one in life["healed_answers"]]
    wrong = ["", " "] if life["life"].contract is CLASSES else ["nan", "many", "-501", "inf"]
    report = life["life"].upload(
        "prediction_id,label\n" + "\n".join(f"{k},{v}" for k, v in zip(keys, wrong, strict=False))
    )
    assert (report.accepted, report.rejected) == (0, len(wrong))
    refused = life["life"].stores.labels.refused(report.refusals)
    assert [row["line"] for row in refused] == [str(number) for number in range(2, 2 + len(wrong))]


def test_a_class_that_comes_later_joins_at_the_next_training():
    """Its labels are taken, count as missed until then, and the next version has a probability for it."""
    life = Life(CLASSES)
    life.hours(14)
    names, life.slope = NAMES.copy(), 2.0
    rng = np.random.default_rng(0)
    for _ in range(14):
        answered = life.hours(1)
        moved = [one["prediction_id"] for one in answered if one["prediction"] == names[2] and rng.random() < 0.9]
        life.now += timedelta(minutes=2)
        life.upload("prediction_id,label\n" + "\n".join(f"{key},enormous" for key in moved))
    broken = life.monitor()
    assert broken.decay.decayed
    assert life.heal().startswith("promote")
    manifest = life.stores.models.manifest(life.stores.pointer.read().pointer.version)
    assert manifest.contract.model.classes == (*NAMES, "enormous")
    assert "enormous" in {one["prediction"] for one in life.hours(1)}
    assert verify(life.stores).verdicts == 1


def test_a_log_line_holds_all_that_was_said():
    """What is logged is what was answered, and both a class and its probabilities survive the roll-up's columns."""
    life = Life(CLASSES)
    answered = life.hours(2)
    window = life.stores.history.window(START, life.now, CLASSES.with_classes(tuple(NAMES)))
    said = dict(zip(window.prediction_ids, window.probabilities, strict=True))
    for one in answered:
        assert said[one["prediction_id"]].tolist() == list(one["probabilities"].values())
        assert orjson.loads(orjson.dumps(one)) == one
