"""What the predictor tells its operator. Powertools is imported when there is something to tell: nearly never."""

import traceback
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


class Telemetry(Protocol):
    """The port: what the application reports."""

    def unlogged(self, lines: Iterable[str], rows: int) -> None:
        """Predictions that the store didn't take, as replayable lines; they must be durable when this returns."""
        ...

    def stale(self, problem: str) -> None:
        """The production pointer or its version couldn't be read; the last good model answers."""
        ...

    def failed(self, error: Exception) -> None:
        """A failure that nobody expected."""
        ...


class FunctionLog:
    """Telemetry by way of the function's log: replay lines as they are, the rest through Powertools."""

    def __init__(self, metrics_namespace: str) -> None:
        self._namespace = metrics_namespace

    def unlogged(self, lines: Iterable[str], rows: int) -> None:
        """Write the lines, then count the rows."""
        for line in lines:
            print(line, flush=True)  # noqa: T201 - the function's log is its standard output
        self._count("UnloggedPredictions", rows)

    def stale(self, problem: str) -> None:
        """Warn, and count."""
        _logger().warning("the last good model keeps answering", extra={"problem": problem})
        self._count("StaleModelLooks", 1)

    def failed(self, error: Exception) -> None:
        """Where it failed, by function and line; never the message, which may hold a feature's value."""
        places = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
        _logger().error("unexpected failure", extra={"failure": type(error).__name__, "places": places})

    def _count(self, name: str, value: int) -> None:
        from aws_lambda_powertools.metrics import MetricUnit, single_metric

        with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=self._namespace) as metric:
            metric.add_dimension(name="service", value="predictor")


@cache
def _logger() -> "Logger":
    from aws_lambda_powertools import Logger

    return Logger(service="predictor")
