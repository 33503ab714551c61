"""Where the functions of a local cloud run: processes of this machine, unless a cloud is given something else."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from infra.local.api_gateway import HttpFront
from infra.local.clock import SimulatedClock
from infra.local.runtime import FunctionRuntime, FunctionSpec, Outcome
from selfheal.settings import CLOCK_FILE

type AccountFor = Callable[[str], object]


class Runtime(Protocol):
    """One function that can be invoked."""

    spec: FunctionSpec
    log: Path

    def invoke(self, event: bytes) -> Outcome:
        """Run the handler on a JSON event and wait for its answer."""
        ...

    def log_tail(self) -> str:
        """The last lines that the function wrote."""
        ...

    def stop(self) -> None:
        """End it, whatever it is doing."""
        ...


class Hosting(Protocol):
    """Runs the functions of one deployment. `host`: the address of this machine as they see it."""

    host: str

    def runtime(self, logical_id: str, spec: FunctionSpec, work_dir: Path, account_for: AccountFor) -> Runtime:
        """A function of the template. `account_for` hears of each action that Lambda itself takes with its role."""
        ...

    def open(self, runtimes: Mapping[str, Runtime], now: Callable[[], datetime]) -> str:
        """Start what serves requests, once all functions are known; the API's address."""
        ...

    def stop(self) -> None:
        """End all that was started."""
        ...


class Processes:
    """Every function a process, which goes by the simulated clock, behind an HTTP front of ours."""

    host = "127.0.0.1"

    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        self._front: HttpFront | None = None

    def runtime(self, logical_id: str, spec: FunctionSpec, work_dir: Path, account_for: AccountFor) -> Runtime:  # noqa: ARG002 - for hosts that know functions by it
        """A process of the function's own."""
        environment = {**spec.environment, CLOCK_FILE: str(self._clock.file.resolve())}
        return FunctionRuntime(replace(spec, environment=environment), work_dir / f"{spec.name}.log", account_for)

    def open(self, runtimes: Mapping[str, Runtime], now: Callable[[], datetime]) -> str:
        """Requests go to the predictor."""
        self._front = HttpFront(runtimes["predictor"].invoke, now)
        return self._front.url

    def stop(self) -> None:
        """Take no more requests; each process is ended with its function."""
        if self._front is not None:
            self._front.stop()
