"""Functions that die or run out of time now and then, and Lambda's own retries of what nobody waits for."""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import override

from infra.local.clock import SimulatedClock
from infra.local.hosting import AccountFor, Processes, Runtime
from infra.local.runtime import FunctionRuntime, FunctionSpec, Outcome
from selfheal.settings import CLOCK_FILE
from tests.soak.proxy import through
from tests.soak.weather import Weather

# Invoked by events: Lambda tries them twice again, then puts the event into the queue of what failed for good.
ASYNCHRONOUS = ("labels", "drift", "batch_scoring")
TRIES = 3
# A process is killed, or its time over, within so many seconds of its invocation's start.
WITHIN: Mapping[str, float] = {"predictor": 0.05}
WITHIN_ELSEWHERE = 3.0


class FaultyFunctions(Processes):
    """Processes of this machine that call AWS through the proxy."""

    def __init__(self, clock: SimulatedClock, weather: Weather) -> None:
        super().__init__(clock)
        self._simulated, self._weather, self._exits = clock, weather, ExitStack()
        self._proxy = ""
        self.functions: dict[str, FaultyRuntime] = {}

    @override
    def runtime(self, logical_id: str, spec: FunctionSpec, work_dir: Path, account_for: AccountFor) -> Runtime:
        if not self._proxy:
            self._proxy = self._exits.enter_context(through(spec.environment["AWS_ENDPOINT_URL"], self._weather))
        away = {"AWS_ENDPOINT_URL": self._proxy, CLOCK_FILE: str(self._simulated.file.resolve())}
        spec = replace(spec, environment={**spec.environment, **away})
        made = FaultyRuntime(spec, work_dir / f"{spec.name}.log", account_for, self._weather)
        self.functions[spec.name] = made
        return made

    @override
    def stop(self) -> None:
        super().stop()
        self._exits.close()


@dataclass(frozen=True, slots=True)
class Size:
    """Resident memory of a function's process at a moment, in MB."""

    moment: datetime
    process: int
    megabytes: float


@dataclass
class Kept:
    """Events that failed for good, which a person sends again as the runbook says."""

    events: list[bytes] = field(default_factory=list)


class FaultyRuntime(FunctionRuntime):
    """One function."""

    def __init__(self, spec: FunctionSpec, log: Path, account_for: Callable[[str], object], weather: Weather) -> None:
        super().__init__(spec, log, account_for)
        self._usual, self._weather, self._one_at_a_time = spec, weather, threading.Lock()
        self.dead_letters = Kept()
        self.sizes: list[Size] = []

    @override
    def invoke(self, event: bytes) -> Outcome:
        if self.spec.name not in ASYNCHRONOUS:
            return self._once(event)
        for _ in range(TRIES):
            outcome = self._once(event)
            if not outcome.failed:
                return outcome
        self.dead_letters.events.append(event)
        return Outcome(b"null", failed=False)

    def send_again(self) -> int:
        """Invoke it with what failed for good; how many events that were."""
        events, self.dead_letters = self.dead_letters.events, Kept()
        for event in events:
            self.invoke(event)
        return len(events)

    def note_size(self, moment: datetime) -> None:
        """Keep how much memory the process holds now, if there is one."""
        pid = self.pid
        with suppress(OSError):
            if pid is not None:
                lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
                kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
                self.sizes.append(Size(moment, pid, kilobytes / 1024))

    def _once(self, event: bytes) -> Outcome:
        with self._one_at_a_time:
            fault, within = self._weather.of_run(), WITHIN.get(self.spec.name, WITHIN_ELSEWHERE)
            after = self._weather.seconds(within)
            self.spec = replace(self._usual, timeout=after) if fault == "out of time" else self._usual
            killer = threading.Timer(after, self._kill)
            if fault == "killed":
                killer.start()
            try:
                return super().invoke(event)
            finally:
                killer.cancel()

    def _kill(self) -> None:
        pid = self.pid
        with suppress(ProcessLookupError):
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
