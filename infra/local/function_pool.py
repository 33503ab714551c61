"""All functions of the cloud: invoked by name, and waited for or not."""

import json
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from infra.local.errors import FunctionFailed
from infra.local.hosting import Runtime
from infra.local.runtime import Outcome

# Invocations that nobody waits for run in this many threads; each function still runs one at a time.
BACKGROUND_THREADS = 8


class FunctionPool:
    """Functions by their own names (`drift`) and by those that CloudFormation gave them."""

    def __init__(self) -> None:
        self._runtimes: dict[str, Runtime] = {}
        self._names: dict[str, str] = {}
        self._background: list[tuple[str, Future[Outcome]]] = []
        self._awaited: list[str] = []
        self._threads = ThreadPoolExecutor(BACKGROUND_THREADS, thread_name_prefix="invocation")

    def add(self, deployed_name: str, runtime: Runtime) -> None:
        """Take in a function."""
        self._names[deployed_name] = runtime.spec.name
        self._runtimes[runtime.spec.name] = runtime

    def names(self) -> list[str]:
        """Names of all functions."""
        return sorted(self._runtimes)

    def name_of(self, arn: str) -> str:
        """A function's own name from its ARN."""
        return self._names[arn.split(":")[6]]

    def runtime(self, name: str) -> Runtime:
        """A function by its own name."""
        return self._runtimes[name]

    def runtimes(self) -> dict[str, Runtime]:
        """All functions by their own names."""
        return dict(self._runtimes)

    def invoke(self, name: str, event: Mapping[str, Any]) -> Any:
        """Run a function and wait for its answer. Raises FunctionFailed."""
        outcome = self._runtimes[name].invoke(json.dumps(event).encode())
        if outcome.failed:
            raise self._failure(name, outcome)
        return json.loads(outcome.payload)

    def invoke_later(self, name: str, event: bytes) -> None:
        """Run a function in the background; its failure is kept for `take_failures`."""
        self._background.append((name, self._threads.submit(self._runtimes[name].invoke, event)))

    def now(self, deployed_name: str, event: Any) -> tuple[str, bool]:
        """Run for moto and wait: the answer's JSON, and whether it is an error."""
        name = self._names[deployed_name]
        self._awaited.append(name)
        try:
            outcome = self._runtimes[name].invoke(json.dumps(event).encode())
        finally:
            self._awaited.remove(name)
        return outcome.payload.decode(), outcome.failed

    def later(self, deployed_name: str, event: Any) -> None:
        """Run for moto in the background."""
        self.invoke_later(self._names[deployed_name], json.dumps(event).encode())

    def running(self) -> list[str]:
        """Names of the functions that run, or wait to run: in the background, or for moto."""
        return [*self._awaited, *(name for name, future in self._background if not future.done())]

    def take_failures(self) -> list[FunctionFailed]:
        """The background invocations that failed since this was asked last."""
        ended = [(name, future) for name, future in self._background if future.done()]
        self._background = [item for item in self._background if item not in ended]
        return [self._failure(name, future.result()) for name, future in ended if future.result().failed]

    def stop(self) -> None:
        """End every process."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for runtime in self._runtimes.values():
            runtime.stop()

    def _failure(self, name: str, outcome: Outcome) -> FunctionFailed:
        error = json.loads(outcome.payload)
        tail = self._runtimes[name].log_tail()
        return FunctionFailed(name, error.get("errorType", "unknown"), error.get("errorMessage", ""), tail)
