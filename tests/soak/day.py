"""The day: requests, labels, monitoring every hour, a world that changes at noon, and everything that goes wrong."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import numpy as np

from infra.local import LocalCloud, synthesised
from infra.local.clock import SimulatedClock
from selfheal.usecases.serve.replay_log import replay_log
from selfheal_tools.demo.traffic import Rows, as_json_rows
from selfheal_tools.simulation.credit import Phase, credit_rows
from tests.soak.functions import FaultyFunctions
from tests.soak.weather import Weather
from tests.support.small_loop import START, SmallLoop

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LARGEST_REQUEST = 20
# The hours in which the services are away for a while, and from which on the labels mean something else.
OUTAGES, CHANGE = (5, 17), 8
OUTAGE_REQUESTS = 5
LABEL_DELAY, LABEL_RATE = 2, 0.8
# A client asks again under its key, a simulated minute later, until it has its answer; by the tenth time services are
# back.
TRIES, OUTAGE_TRIES, PAUSE = 60, 10, timedelta(minutes=1)


@dataclass
class Told:
    """What the service has said and was told: probability and truth by prediction id; labels uploaded."""

    answered: dict[str, float] = field(default_factory=dict)
    truth: dict[str, int] = field(default_factory=dict)
    uploaded: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    asked_again: int = 0
    sent_again: int = 0
    put_back: int = 0


@dataclass
class Day:
    """One day of one service."""

    loop: SmallLoop
    functions: FaultyFunctions
    weather: Weather
    predictions: int
    hours: int
    told: Told = field(default_factory=Told)

    @property
    def cloud(self) -> LocalCloud:
        """Where it runs."""
        return self.loop.cloud

    def live(self) -> None:
        """The day under faults, then an hour without, in which everything comes to rest."""
        self._rng = np.random.default_rng(11)
        self._http = httpx.Client(base_url=self.cloud.url, timeout=120)
        due: list[dict[str, int]] = []
        self.weather.begin()
        for hour in range(self.hours):
            due.append(self._asked(hour))
            if hour >= LABEL_DELAY:
                self._upload(hour, due[hour - LABEL_DELAY])
            self.cloud.run_until(START + (hour + 1) * HOUR)
            for function in self.functions.functions.values():
                function.note_size(self.cloud.clock.now)
        self.weather.end()
        self._mended()
        self._http.close()

    def _asked(self, hour: int) -> dict[str, int]:
        """One hour's requests; the truth of their rows."""
        wanted, truth, asked = self.predictions // self.hours, {}, 0
        while asked < wanted:
            size = int(min(self._rng.integers(1, LARGEST_REQUEST + 1), wanted - asked))
            self.weather.is_away = hour in OUTAGES and self.told.requests % 100 < OUTAGE_REQUESTS
            features, labels = credit_rows(self._rng, size, Phase.CALM)
            rows = Rows(features, 1 - labels if hour >= CHANGE else labels)
            truth |= self._answer(rows)
            asked += size
            self._move_on(start=START + hour * HOUR, share=asked / wanted)
        self.weather.is_away = False
        return truth

    def _move_on(self, start: datetime, share: float) -> None:
        self.cloud.clock.set(start + 0.9 * share * HOUR)

    def _answer(self, rows: Rows) -> dict[str, int]:
        """Ask until there is an answer, always under the same key."""
        key, body = uuid.UUID(bytes=self._rng.bytes(16)).hex, {"rows": as_json_rows(rows.features, self.loop.contract)}
        self.told.requests += 1
        for tries in range(TRIES):
            self.weather.is_away &= tries < OUTAGE_TRIES
            answer = self._http.post("/predict", json=body, headers={"Idempotency-Key": key})
            if answer.status_code == httpx.codes.OK:
                break
            self.told.asked_again += 1
            self.cloud.clock.advance(PAUSE)
        else:
            tail = "\n".join(self.cloud.function_log("predictor").splitlines()[-30:])
            raise AssertionError(f"no answer after {TRIES} tries at {self.cloud.clock.now}: {answer.text}\n{tail}")
        found = answer.json()["predictions"]
        truth = {row["prediction_id"]: int(label) for row, label in zip(found, rows.labels, strict=True)}
        self.told.answered |= {row["prediction_id"]: row["probability"] for row in found}
        self.told.truth |= truth
        return truth

    def _upload(self, hour: int, truth: dict[str, int]) -> None:
        """Most of an hour's truth as one file, by the user's own client."""
        known = {key: label for key, label in truth.items() if self._rng.random() < LABEL_RATE}
        lines = ["prediction_id,label", *(f"{key},{label}" for key, label in known.items())]
        self.cloud.stores.data.put(f"labels/incoming/hour-{hour:02}.csv", "\n".join(lines).encode())
        self.told.uploaded |= known

    def _mended(self) -> None:
        """What people do afterwards: send again what failed for good, put back what wasn't logged, wait two hours."""
        self.cloud.settle()
        for function in self.functions.functions.values():
            self.told.sent_again += function.send_again()
        lines = self.cloud.function_log("predictor").splitlines()
        self.told.put_back = len(replay_log(self.cloud.stores, lines, now=self.cloud.clock.now).put_back)
        self.cloud.run_until(self.cloud.clock.now + 2 * HOUR)


@contextmanager
def a_day(folder: Path, *, predictions: int, hours: int, seed: int) -> Iterator[Day]:
    """A bootstrapped service in a local cloud whose functions are faulty once the weather turns."""
    weather = Weather(seed)
    clock = SimulatedClock(folder / "clock", START)
    functions = FaultyFunctions(clock, weather)
    assembly = synthesised(schedule_minutes=60)
    with LocalCloud.deploy(assembly, start=START, work_dir=folder, hosting=functions) as cloud:
        loop = SmallLoop(cloud)
        loop.bootstrap()
        try:
            yield Day(loop, functions, weather, predictions, hours)
        finally:
            loop.close()
