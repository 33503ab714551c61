"""A whole environment in memory: callers, people, schedules and the state machine, retried as AWS retries them."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract, parse_contract
from selfheal.data.labels import TargetValues
from selfheal.errors import SelfhealError
from selfheal.healing.state import result_of
from selfheal.records.healing import Healing, Training
from selfheal.records.labels import Upload
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.tables.dataset import Dataset, typed_features
from selfheal.usecases.heal.await_labels import await_labels
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.heal.train_shadow import train_shadow
from selfheal.usecases.labels.ingest import ingest_labels
from selfheal.usecases.labels.receive import label_rows, receive_labels
from selfheal.usecases.monitor.monitor import has_begun, monitor
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from selfheal.usecases.registry.bootstrap import bootstrap
from selfheal.usecases.registry.pause import pause, resume
from selfheal.usecases.registry.promote import force_promotion
from selfheal.usecases.registry.roll_back import roll_back
from selfheal.usecases.serve.predict import predict
from selfheal.usecases.serve.production_model import ProductionModel
from selfheal.usecases.serve.recognise_retry import recognise_retry
from selfheal.usecases.serve.replay_log import replay_log
from tests.faults.injection import Died, Injector, Nothing
from tests.faults.services import Bucket, Line, Machine, Topic, copy_of
from tests.faults.state_machine import StateMachine
from tests.support.remembered import remembered_fit

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LABEL_DELAY = 3 * HOUR
# A run every six hours; attempts of Lambda at an asynchronous event.
SCHEDULE_MINUTES, ATTEMPTS = 360, 3

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
[policy.monitoring]
lookback_hours = 12
minimum_predictions = 100
[policy.retraining]
minimum_labels = 100
retry_hours = 1
label_wait_hours = 6
[policy.gates]
minimum_samples = 100
cooldown_days = 2
[policy.probation]
days = 5
""")

type Answered = tuple[str, int]


def _probability(x: NDArray[np.float64], slope: float) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-slope * x))


def base_rows(contract: Contract, n: int = 700) -> Dataset:
    """Rows of a world in which y follows x."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=n)
    truth = (rng.random(n) < _probability(x, 2.0)).astype(np.int8)
    frame = pd.DataFrame({"x": x, "group": rng.choice(["a", "b"], n).astype(object)})
    moments = np.datetime64(START.replace(tzinfo=None), "us") - np.arange(n)[::-1] * np.timedelta64(60, "s")
    ids = np.array([f"base-{number:09d}" for number in range(n)], dtype=object)
    return Dataset(ids, moments, typed_features(frame, contract), truth)


BASE = base_rows(CONTRACT)


@dataclass
class Uploaded:
    """A file of labels: its event, the rows that are right, and how many are not."""

    event: Upload
    rows: list[Answered]
    bad: int


@dataclass
class World:
    """What is stored and what the world knows of it; `clone` it to see what else could have become of it."""

    now: datetime = START
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))
    data: MemoryBucket = field(default_factory=MemoryBucket)
    registry: MemoryBucket = field(default_factory=MemoryBucket)
    statuses: dict[str, str] = field(default_factory=dict)
    pending: list[Healing] = field(default_factory=list)
    sent: list[tuple[str, str]] = field(default_factory=list)
    # Decisions that the pointer ever held; what people read on their screens, errors included.
    moves: list[str] = field(default_factory=list)
    screen: list[str] = field(default_factory=list)
    # By prediction id: whether it was said to be logged, its probability, its truth.
    answered: dict[str, tuple[bool, float, int]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    uploads: list[Uploaded] = field(default_factory=list)
    dead_letters: list[Upload] = field(default_factory=list)
    unlabelled: list[tuple[datetime, list[Answered]]] = field(default_factory=list)
    # The state that the state machine is in.
    step: str = ""

    def __post_init__(self) -> None:
        self.line = Line()
        self.restart()

    def restart(self) -> None:
        """A fresh process: stores and models without what they had seen."""
        data, registry = (
            Bucket(inner, self.line, name, self.moves)
            for inner, name in ((self.data, "data"), (self.registry, "registry"))
        )
        self.stores = Stores(data, registry)
        self.topic = Topic(self.line, self.sent)
        self.machine = Machine(self.line, self.statuses, self.pending)
        self.model = ProductionModel(self.stores.pointer, self.stores.models, 15)

    def clone(self, injector: Injector | None = None) -> "World":
        """Another world with the same past, whose calls go through `injector` from now on."""
        copied = {
            name: copy_of(value) if isinstance(value, MemoryBucket) else copy.copy(value)
            for name, value in vars(self).items()
            if name in self.__dataclass_fields__
        }
        other = World(**copied | {"rng": copy.deepcopy(self.rng)})
        other.line.injector = injector or Nothing()
        return other

    # Callers

    def request(self, rows: Sequence[Mapping[str, Any]], truth: Sequence[int], key: str | None) -> list[Answered]:
        """One request, sent again as clients do: under its key, or as a new one."""
        body = json.dumps({"rows": rows}).encode()

        def send() -> list[Answered]:
            model = self.model.current(self.now)
            parsed = model.rows.parse(body)
            store = self.stores.idempotency
            known = recognise_retry(store, "caller", key, body, rows=len(rows), now=self.now) if key else None
            answer = predict(model, self.stores.prediction_log, parsed, now=self.now, request_id=known)
            self.lines.extend(answer.replay or ())
            ids = [str(found["prediction_id"]) for found in answer.predictions]
            for name, found, positive in zip(ids, answer.predictions, truth, strict=True):
                self.answered[name] = (answer.logged, float(found["probability"]), int(positive))
            return list(zip(ids, map(int, truth), strict=True))

        return self.attempt(send, 4, timedelta(seconds=2)) or []

    def traffic(self, rows: int, slope: float, key: str | None = None) -> list[Answered]:
        """A request of rows whose truth follows x by this slope."""
        x = self.rng.normal(size=rows)
        truth = (self.rng.random(rows) < _probability(x, slope)).astype(int).tolist()
        groups = self.rng.choice(["a", "b"], rows)
        given = [{"x": float(value), "group": str(group)} for value, group in zip(x, groups, strict=True)]
        return self.request(given, truth, key)

    # Labels

    def upload(self, rows: Sequence[Answered], name: str, bad: int = 0) -> None:
        """A file that a person puts into S3, and the event that follows."""
        lines = [f"{key},{label}" for key, label in rows] + ["not-an-id,1"] * bad
        key = f"labels/incoming/{name}"
        self.data.put(key, "\n".join(["prediction_id,label", *lines, ""]).encode())
        self._notify(key, list(rows), bad)

    def send_labels(self, rows: Sequence[Answered], key: str) -> None:
        """The same through the API."""
        body = json.dumps({"labels": [{"prediction_id": name, "label": label} for name, label in rows]}).encode()
        before = set(self.data.keys("labels/incoming/"))

        def send() -> object:
            parsed = label_rows(body)
            store = self.stores.idempotency
            attempt = recognise_retry(store, "caller", key, body, rows=len(parsed), now=self.now)
            return receive_labels(self.stores.labels, parsed, attempt)

        self.attempt(send, 4, timedelta(seconds=2))
        for created in set(self.data.keys("labels/incoming/")) - before:
            self._notify(created, list(rows), 0)

    def _notify(self, key: str, rows: list[Answered], bad: int) -> None:
        stored = self.data.get(key)
        event = Upload(key=key, size=len(stored.body), uploaded_at=self.now, etag=stored.etag.strip('"'))
        self.uploads.append(Uploaded(event, rows, bad))
        if self.attempt(lambda: self._ingest(event), ATTEMPTS) is None:
            self.dead_letters.append(event)

    def _ingest(self, event: Upload) -> object:
        return ingest_labels(self.stores, event)

    # Schedules and the state machine

    def monitor(self) -> None:
        """A scheduled run, and its two retries."""

        def run() -> object:
            if not has_begun(self.stores):
                return None
            return monitor(self.stores, self.machine, self.topic, now=self.now, schedule_minutes=SCHEDULE_MINUTES)

        self.attempt(run, ATTEMPTS)

    def roll_up(self) -> None:
        """The part of a run that rolls up closed hours."""
        self.attempt(lambda: roll_up_closed_hours(self.stores, self.now), ATTEMPTS)

    def heal(self) -> None:
        """Run the executions that were started to their ends."""
        while self.pending:
            healing = self.pending.pop(0)
            machine = StateMachine(self._tasks(), self._pass_time, self._enter)
            status = machine.run(healing.execution, {"healing": healing.model_dump(mode="json")})
            self.statuses[healing.execution] = status

    def _tasks(self) -> dict[str, Callable[[Any], Any]]:
        return {
            "${ShadowTrainingArn}": lambda state: _json(
                train_shadow(self.stores, _healing(state), self.now, fit=remembered_fit)
            ),
            "${LabelWaitArn}": lambda state: _json(
                await_labels(self.stores, _healing(state), _training(state), self.now)
            ),
            "${GateEvaluationArn}": lambda state: _json(
                evaluate_gates(self.stores, _healing(state), _training(state), self.now)
            ),
            "${PromotionArn}": lambda state: _json(conclude(self.stores, _healing(state), result_of(state), self.now)),
            "publish": lambda message: self.topic.send(message["Subject"], message["Message"]),
        }

    def _pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.restart()

    def _enter(self, state: str) -> None:
        self.step = state

    # People

    def tell(self, sentence: str) -> None:
        """What a command prints, and sends to whoever listens."""
        self.screen.append(sentence)
        self.topic.send("selfheal: production was moved by a person", sentence)

    def bootstrap(self) -> None:
        """The first model."""
        values = TargetValues("1", "0")

        def run() -> object:
            return bootstrap(
                self.stores, BASE, CONTRACT, values, now=self.now, actor="ann", fit=remembered_fit, tell=self.tell
            )

        self.attempt(run, 2)

    def pause(self) -> None:
        """The kill switch."""
        self.attempt(lambda: pause(self.stores, reason="an incident", actor="ann", now=self.now), 2)

    def resume(self) -> None:
        """Its end."""
        self.attempt(lambda: resume(self.stores, reason="over", actor="ann", now=self.now) or True, 2)

    def roll_back(self) -> None:
        """To the version before."""
        self.attempt(
            lambda: roll_back(self.stores, None, reason="complaints", actor="ann", now=self.now, tell=self.tell), 2
        )

    def force(self, version: str) -> None:
        """A version, without gates."""
        self.attempt(
            lambda: force_promotion(self.stores, version, reason="a hunch", actor="ann", now=self.now, tell=self.tell),
            2,
        )

    def replay(self) -> None:
        """The lines that the predictor printed go back into the log; again until that has worked."""
        if self.lines:
            self.attempt(lambda: replay_log(self.stores, self.lines, now=self.now), ATTEMPTS)

    # Time

    def live(self, hours: int, slope: float, rows: int = 120) -> None:
        """Hours with a request every three; labels come in files every six, three hours and more after the answers."""
        for hour in range(hours):
            if hour % 3 == 0:
                self.unlabelled.append((self.now, self.traffic(rows, slope)))
            self.now += HOUR
            if hour % 6 == 5:
                self.upload(self.due_labels(), f"{self.now:%d%H}.csv")

    def due_labels(self) -> list[Answered]:
        """The labels that have become known and were never told."""
        due = [row for moment, rows in self.unlabelled if moment <= self.now - LABEL_DELAY for row in rows]
        self.unlabelled = [item for item in self.unlabelled if item[0] > self.now - LABEL_DELAY]
        return due

    def recover(self) -> None:
        """Everything works again, time passes, and people do what the runbook asks for."""
        self.line.injector = Nothing()
        self.restart()
        if not has_begun(self.stores):
            self.bootstrap()
        self.heal()
        self.replay()
        for event in self.dead_letters:
            self._ingest(event)
        self.dead_letters.clear()
        self.now += 20 * MINUTE
        self.monitor()
        self.heal()

    def attempt[T](self, act: Callable[[], T], times: int, wait: timedelta = MINUTE) -> T | None:
        """A call and its retries, each in a fresh process; None where none of them worked."""
        for _ in range(times):
            try:
                return act()
            except (SelfhealError, Died) as error:
                self.screen.append(str(error))
                self.restart()
                self.now += wait
        return None


def _healing(state: Mapping[str, Any]) -> Healing:
    return Healing.model_validate(state["healing"])


def _training(state: Mapping[str, Any]) -> Training:
    return Training.model_validate(state["training"])


def _json(record: Any) -> Any:
    return record.model_dump(mode="json")
