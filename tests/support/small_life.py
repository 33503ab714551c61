"""A small life of an environment from end to end, always the same: bootstrap, drift, healing, probation, a person.

`python -m tests.support.small_life` writes what it leaves behind to RECORDED. That is for a change which is meant to
change what is written, and for no other.
"""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyarrow import parquet
from ulid import ULID

from selfheal.contract import parse_contract
from selfheal.data.files import TargetValues
from selfheal.healing.state import result_of
from selfheal.models.formats import WRITTEN, model_of
from selfheal.records.labels import Label
from selfheal.records.predictions import Prediction, prediction_id, timestamp_of
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.stores.prediction_log import to_lines
from selfheal.tables.dataset import Dataset, typed_features
from selfheal.tables.table import columns_of
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.heal.train_shadow import train_shadow
from selfheal.usecases.monitor.monitor import monitor
from selfheal.usecases.registry.bootstrap import bootstrap
from selfheal.usecases.registry.pause import pause, resume
from selfheal.usecases.registry.roll_back import roll_back
from tests.support.healing import FakeExecutions, FakeNotifications
from tests.support.remembered import remembered_fit
from tests.support.stream import DeliveringStream

RECORDED = Path(__file__).parents[1] / "functional" / "recorded_small_life.json"
START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LABEL_DELAY = 2 * HOUR
BASE_ROWS, ROWS_AN_HOUR = 600, 25

CONTRACT = parse_contract("""
[model]
name = "small"
target = "y"
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
minimum_samples = 100
cooldown_days = 0
[policy.probation]
days = 2
""")


class SmallLife:
    """Everything in memory, every random number by seed; `live` and read what `stores` hold.

    streamed: predictions reach the log by a stream, each line twice.
    """

    def __init__(self, *, streamed: bool = False) -> None:
        data = MemoryBucket()
        self.stores = Stores(data, MemoryBucket(), DeliveringStream(data, copies=2) if streamed else None)
        self.executions, self.notifications = FakeExecutions(), FakeNotifications()
        self.now = START
        self.summaries: list[str] = []
        self._rng = np.random.default_rng(11)
        self._unlabelled: list[tuple[datetime, str, int]] = []

    def live(self) -> None:
        """Two days in which y stops to follow x, a healing, its probation, a pause, and a person who takes it back."""
        base, labels = self._rows(BASE_ROWS, slope=2.0)
        moments = np.datetime64(START.replace(tzinfo=None), "us") - np.arange(BASE_ROWS)[::-1] * np.timedelta64(60, "s")
        ids = np.array([f"base-{row:06d}" for row in range(BASE_ROWS)], dtype=object)
        rows = Dataset(ids, moments, typed_features(base, CONTRACT), labels)
        values = TargetValues("1", "0")
        bootstrap(self.stores, rows, CONTRACT, values, now=START, actor="ann", fit=remembered_fit)
        self._hours(14, slope=2.0)
        self._monitor()
        for hours in (24, 24):
            self._hours(hours, slope=-1.5, shift=1.0)
            self._monitor()
            self._heal()
        self._hours(14, slope=-1.5, shift=1.0)
        self._monitor()
        pause(self.stores, reason="an incident", actor="ann", now=self.now)
        roll_back(self.stores, None, reason="complaints", actor="ann", now=self.now)
        resume(self.stores, reason="over", actor="ann", now=self.now)
        self._hours(1, slope=-1.5, shift=1.0)
        self._monitor()

    def _rows(self, rows: int, *, slope: float, shift: float = 0.0) -> tuple[pd.DataFrame, np.ndarray]:
        rng = self._rng
        x, z = (np.round(rng.normal(size=rows) + by, 3) for by in (shift, 0.0))
        labels = (rng.random(rows) < 1 / (1 + np.exp(-slope * (x - shift) - 0.5 * z))).astype(np.int8)
        z[rng.random(rows) < 0.1] = np.nan
        groups = rng.choice(["a", "b"], rows).astype(object)
        return pd.DataFrame({"x": x, "z": z, "group": groups}), labels

    def _hours(self, hours: int, *, slope: float, shift: float = 0.0) -> None:
        for _ in range(hours):
            features, labels = self._rows(ROWS_AN_HOUR, slope=slope, shift=shift)
            self._log(features, labels)
            self.now += HOUR
            self._deliver()

    def _log(self, features: pd.DataFrame, labels: np.ndarray) -> None:
        """One request for each minute; its id is made of its time, so that it is the same each time."""
        production = self.stores.models.manifest(self.stores.pointer.read().pointer.version)
        artefact = model_of(production, self.stores.models.artefact)
        probabilities = artefact.probabilities_of(columns_of(typed_features(features, CONTRACT)))
        values = zip(features.to_dict("records"), probabilities.tolist(), labels.tolist(), strict=True)
        for minute, (row, probability, label) in enumerate(values):
            moment = self.now + timedelta(minutes=minute)
            request = str(ULID.from_bytes(int(moment.timestamp() * 1000).to_bytes(6) + minute.to_bytes(10)))
            logged = Prediction(
                prediction_id=prediction_id(request, 0),
                timestamp=timestamp_of(moment),
                model_version=production.version,
                probability=probability,
                prediction=int(probability >= artefact.threshold),
                features={name: None if pd.isna(value) else value for name, value in row.items()},
            )
            if self.stores.stream is None:
                self.stores.prediction_log.append(request, [logged])
            else:
                self.stores.stream.put(to_lines([logged]).splitlines())
            self._unlabelled.append((moment, logged["prediction_id"], label))

    def _deliver(self) -> None:
        due = [row for row in self._unlabelled if row[0] + LABEL_DELAY <= self.now]
        self._unlabelled = self._unlabelled[len(due) :]
        self.stores.labels.accept(
            Label(prediction_id=key, label=label, label_timestamp=moment + LABEL_DELAY, received_at=self.now)
            for moment, key, label in due
        )

    def _monitor(self) -> None:
        found = monitor(self.stores, self.executions, self.notifications, now=self.now, schedule_minutes=60)
        self.summaries.append(found.summary)

    def _heal(self) -> None:
        healing = self.executions.started[-1]
        training = train_shadow(self.stores, healing, self.now, fit=remembered_fit)
        verdict = evaluate_gates(self.stores, healing, training, self.now)
        state = {"training": training.model_dump(mode="json"), "verdict": verdict.model_dump(mode="json")}
        conclude(self.stores, healing, result_of(state), self.now)
        self.executions.statuses[healing.execution] = "SUCCEEDED"


def texts_of(life: SmallLife) -> dict[str, str]:
    """What a life left behind, as texts by key: models, manifests, evidence, ledger, pointer, verdicts, messages.

    Hashes and random parts of ids are numbered in the order in which they appear: that they agree is what matters.
    """
    registry = life.stores.registry_bucket
    found = {key: _text(key, registry.get(key).body) for key in registry.keys("") if _is_kept(key)}
    found |= {key: life.stores.monitoring.read(key).decode() for key in life.summaries}
    found["messages"] = "\n\n".join(f"{subject}\n{body}" for subject, body in life.notifications.sent)
    return dict(_numbered(list(found.items())))


def _is_kept(key: str) -> bool:
    return not key.startswith("models/") or key.endswith((f"/{WRITTEN.file}", "/manifest.json"))


def _text(key: str, body: bytes) -> str:
    if key.endswith(".parquet"):
        return _table_text(body)
    return _without_versions(body) if key.endswith("/manifest.json") else body.decode()


def _table_text(body: bytes) -> str:
    """Columns, their types and what is noted about them, and the values of every 25th row."""
    table = parquet.read_table(io.BytesIO(body))
    fields = [(field.name, str(field.type), str(field.metadata)) for field in table.schema]
    rows = [{name: str(value) for name, value in row.items()} for row in table.to_pylist()[::25]]
    return json.dumps({"rows": table.num_rows, "fields": fields, "every_25th": rows})


def _without_versions(manifest: bytes) -> str:
    """Without what follows from the versions of libraries: their numbers, and sizes of files."""
    content: dict[str, Any] = json.loads(manifest)
    content["libraries"] = dict.fromkeys(content["libraries"], "any")
    for described in content["artefacts"].values():
        described["size"] = 0
    return json.dumps(content)


NAMES = re.compile(r"\b[0-9a-f]{64}\b|(?<=-)[0-9a-f]{12}\b|(?<=Z-)[0-9a-f]{8}\b|\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b")


def _numbered(texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    seen: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        return seen.setdefault(match[0], f"<{len(seen) + 1}>")

    return [(NAMES.sub(name, key), NAMES.sub(name, text)) for key, text in texts]


if __name__ == "__main__":
    lived = SmallLife()
    lived.live()
    RECORDED.write_text(json.dumps(texts_of(lived), indent=1) + "\n", encoding="utf-8")
