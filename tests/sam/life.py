"""A service's life in real time: a first version, a world that turns upside down, a second version."""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from infra.local import LocalCloud
from infra.local.sam import Engine, SamHosting
from selfheal.data.labels import TargetValues
from selfheal.stores.rollups import hour_of
from selfheal.usecases.registry.bootstrap import bootstrap
from selfheal_tools.demo.traffic import Answered, Client, Rows
from selfheal_tools.demo.world import _dated
from selfheal_tools.simulation.credit import Phase, credit_rows
from tests.support.small_loop import quick_contract

TRAINING_ROWS, REQUEST_ROWS, FEW = 2_000, 250, 100
HEALING_SECONDS = 600
# The predictor looks at the pointer this often.
POINTER_CHECK = timedelta(seconds=15)
STARTED = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - STARTED:6.1f} s] {text}", flush=True)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Life:
    """What the tests look at afterwards."""

    cloud: LocalCloud
    hosting: SamHosting
    engine: Engine
    first: list[Answered] = field(default_factory=list)
    last: list[Answered] = field(default_factory=list)
    # What became of a file of rows, and the ids in an hour that was rolled up in parts.
    batch: dict[str, Any] = field(default_factory=dict)
    rolled_up: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(7)
        self._contract = quick_contract()
        self._client = Client(self.cloud.url, self._contract)

    def close(self) -> None:
        self._client.close()

    def live(self) -> None:
        self._bootstrap()
        self.first = self._ask(Phase.CALM, inverted=False)
        say(f"{len(self.first)} predictions by {self.first[0].model_version}")
        # Too few labels for a healing because of growth.
        self._deliver_truth(self.first[:FEW])
        self._monitor()
        assert not self.cloud.executions.recent()
        self._turn_upside_down()
        self._heal()
        time.sleep(POINTER_CHECK.total_seconds())
        self.last = self._ask(Phase.CHANGED_RISK, inverted=True)
        say(f"{len(self.last)} predictions by {self.last[0].model_version}")
        self._score_a_file()
        self._roll_up_an_hour()

    def _bootstrap(self) -> None:
        # Yesterday: nothing heals on the day of its first version.
        born = now() - timedelta(days=1)
        training = _dated(Rows(*credit_rows(self._rng, TRAINING_ROWS)), born)
        values = TargetValues(positive="1", negative="0")
        manifest = bootstrap(self.cloud.stores, training, self._contract, values, now=born, actor="test")
        say(f"first version in production: {manifest.version}")

    def _ask(self, phase: Phase, *, inverted: bool) -> list[Answered]:
        features, labels = credit_rows(self._rng, REQUEST_ROWS, phase)
        return self._client.ask(Rows(features, 1 - labels if inverted else labels), now(), "test")

    def _deliver_truth(self, answered: list[Answered]) -> None:
        lines = [f"{row.prediction_id},{row.truth}\n" for row in answered]
        self.cloud.clock.set(now())
        self.cloud.stores.data.put(
            f"labels/incoming/truth-{time.monotonic_ns()}.csv", "".join(["prediction_id,label\n", *lines]).encode()
        )
        self.cloud.settle()
        say(f"{len(answered)} labels taken in")

    def _monitor(self) -> None:
        self.cloud.clock.set(now())
        self.cloud.invoke("drift", {"scheduled_at": f"{now():%Y-%m-%dT%H:%M:%SZ}"})
        say(f"monitored; healings: {[one.status for one in self.cloud.executions.recent()]}")

    def _turn_upside_down(self) -> None:
        for _ in range(6):
            answered = [row for _ in range(4) for row in self._ask(Phase.CHANGED_RISK, inverted=True)]
            self._deliver_truth(answered)
            self._monitor()
            if self.cloud.executions.recent():
                return
        raise AssertionError("no healing was started")

    def _score_a_file(self) -> None:
        features, _ = credit_rows(self._rng, REQUEST_ROWS)
        data = self.cloud.stores.data
        data.put("batches/incoming/rows.csv", features.to_csv(index=False).encode())
        self.cloud.settle()
        (report,) = [key for key in data.keys("batches/done/") if key.endswith(".report.json")]
        self.batch = json.loads(data.get(report).body)
        say(f"{self.batch['answered']} rows of a file answered")

    def _roll_up_an_hour(self) -> None:
        """The hour of the first predictions, by the state machine that takes over where an hour is large."""
        hour, stores = hour_of(self.first[0].moment), self.cloud.stores
        self.cloud.large_hours.start(hour, now())
        self.cloud.settle()
        for part in stores.rollups.read(hour).parts:
            self.rolled_up.update(stores.hour_parts.ids(hour, part).tolist())
        say(f"{len(self.rolled_up)} predictions rolled up")

    def _heal(self) -> None:
        deadline = time.monotonic() + HEALING_SECONDS
        while any(one.status == "RUNNING" for one in self.cloud.executions.recent()):
            assert time.monotonic() < deadline, "the healing doesn't end"
            time.sleep(0.5)
        for decision in self.cloud.stores.ledger.decisions():
            say(f"decision: {decision.kind} {decision.version}: {decision.reason}")
        for message in self.cloud.notifications:
            say(f"notification: {message.subject}")
