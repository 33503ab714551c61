"""A history cut up for a replay: the rows that train the first version, and the traffic with what is known of it when.

Periods hold equally many rows. A row's label is known at the end of the period that comes `label_delay` periods after
its own (delay 0: at the end of its own), or never: whether it ever comes is drawn for each row alike.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from ulid import ULID

from selfheal.contract.request import MAXIMUM_ROWS
from selfheal.data.moments import as_utc
from selfheal.records.predictions import prediction_id
from selfheal.tables.dataset import Dataset
from selfheal_tools.backtest.errors import BacktestImpossible
from selfheal_tools.backtest.moments import has_times, paced, spread

# Rows of one request share its time: so many requests a day, within these limits in a period.
REQUESTS_A_DAY = 4
FEWEST_REQUESTS, MOST_REQUESTS = 48, 200
# Fewer rows in a period than this say nothing.
LEAST_ROWS = 20
MOMENTS = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:\+00:00| UTC)?")
MILLISECOND = np.timedelta64(1, "ms")
RANDOM_BYTES = 10


@dataclass(frozen=True, slots=True)
class Request:
    """Rows `start` to `stop` of the traffic, asked about at one moment."""

    identifier: str
    moment: datetime
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Span:
    """One period, numbered from 1: its requests, in order, and when it ends."""

    number: int
    start: int
    stop: int
    begins: datetime
    ends: datetime
    requests: tuple[Request, ...]

    @property
    def rows(self) -> slice:
        """Its rows of the traffic."""
        return slice(self.start, self.stop)


@dataclass(frozen=True, eq=False)
class Stream:
    """initial: rows of the first version. traffic: all others; their row ids are those of their predictions.

    comes: shape (rows of traffic,): whether the row's label ever arrives. period_of: shape as well, from 1.
    has_times: whether moments follow from the file; without times of its own it passes at a made-up pace.
    """

    initial: Dataset
    traffic: Dataset
    spans: tuple[Span, ...]
    comes: NDArray[np.bool_]
    label_delay: int
    has_times: bool = True

    def told(self, moment: datetime) -> datetime | None:
        """A moment as a reader may see it: None where it is made up."""
        return moment if self.has_times else None

    def told_text(self, text: str) -> str:
        """A text as a reader may see it: without moments that are made up."""
        return text if self.has_times else MOMENTS.sub("some day", text)

    @cached_property
    def period_of(self) -> NDArray[np.intp]:
        """The number of each row's period."""
        return np.repeat([span.number for span in self.spans], [span.stop - span.start for span in self.spans])

    def delivered(self, number: int) -> NDArray[np.intp]:
        """Positions of the rows whose labels arrive at the end of a period."""
        return np.flatnonzero(self.comes & (self.period_of + self.label_delay == number))

    def known(self, number: int) -> NDArray[np.intp]:
        """Positions of the rows whose labels have arrived by the end of a period."""
        return np.flatnonzero(self.comes & (self.period_of + self.label_delay <= number))

    @property
    def begins(self) -> datetime:
        """When the first version goes into production."""
        return self.spans[0].begins

    @property
    def shortest_period(self) -> timedelta:
        """A cooldown of this allows one promotion a period."""
        return min(span.ends - span.begins for span in self.spans)


def stream_of(rows: Dataset, *, periods: int, initial: float, label_delay: int, label_rate: float, seed: int) -> Stream:
    """Cut up labelled rows that are in time order.

    Raises:
        BacktestImpossible: there are too few rows for so many periods, or their times say nothing.
    """
    first = round(initial * len(rows))
    traffic = len(rows) - first
    if first < 1 or traffic < LEAST_ROWS * periods:
        raise BacktestImpossible(
            f"{len(rows)} rows leave {max(traffic, 0)} for {periods} periods after {first} for the first version; each "
            f"period needs {LEAST_ROWS} at least: give more rows or fewer --periods"
        )
    is_told = has_times(rows.timestamps)
    moments = spread(rows.timestamps) if is_told else paced(rows.timestamps, traffic / periods)
    edges = first + np.linspace(0, traffic, periods + 1).round().astype(int)
    spans = _spans(moments, edges, np.random.default_rng(seed))
    answered = _answered(rows, first, spans)
    comes = np.random.default_rng([seed, 1]).random(traffic) < label_rate
    known = Dataset(rows.row_ids, moments, rows.features, rows.labels).take(slice(0, first))
    return Stream(known, answered, spans, comes, label_delay, is_told)


def _spans(moments: NDArray[np.datetime64], edges: NDArray[np.intp], rng: np.random.Generator) -> tuple[Span, ...]:
    first = int(edges[0])
    bounds = np.append(moments, moments[-1] + _usual_step(moments))
    spans: list[Span] = []
    for number, (start, stop) in enumerate(pairwise(edges.tolist()), start=1):
        requests = _requests(moments, start, stop, first, rng)
        _check_order(spans, requests, number)
        begins, ends = as_utc(bounds[start]), as_utc(bounds[stop])
        spans.append(Span(number, start - first, stop - first, begins, ends, requests))
    return tuple(spans)


def _usual_step(moments: NDArray[np.datetime64]) -> np.timedelta64:
    usual = np.timedelta64(round(float(np.median(np.diff(moments).astype(np.int64)))), "us")
    return max(usual, 2 * MILLISECOND)


def _requests(
    moments: NDArray[np.datetime64], start: int, stop: int, first: int, rng: np.random.Generator
) -> tuple[Request, ...]:
    """The rows from start to stop in requests of nearly equal size, each at the moment of its last row."""
    days = (moments[stop - 1] - moments[start]) / np.timedelta64(1, "D")
    wanted = int(np.clip(np.ceil(days * REQUESTS_A_DAY), FEWEST_REQUESTS, MOST_REQUESTS))
    parts = max(min(wanted, stop - start), -(-(stop - start) // MAXIMUM_ROWS))
    edges = np.linspace(start, stop, parts + 1).round().astype(int)
    return tuple(_request(moments[b - 1], int(a - first), int(b - first), rng) for a, b in pairwise(edges))


def _request(moment: np.datetime64, start: int, stop: int, rng: np.random.Generator) -> Request:
    milliseconds = int(moment.astype("datetime64[ms]").astype(np.int64))
    identifier = ULID(milliseconds.to_bytes(6, "big") + rng.bytes(RANDOM_BYTES))
    return Request(str(identifier), as_utc(moment.astype("datetime64[ms]")), start, stop)


def _check_order(spans: list[Span], requests: tuple[Request, ...], number: int) -> None:
    moments = [*([spans[-1].requests[-1].moment] if spans else []), *(request.moment for request in requests)]
    if any(after <= before for before, after in pairwise(moments)):
        raise BacktestImpossible(
            f"the rows of period {number} lie within milliseconds of each other: check the contract's time_column, or "
            "leave it out, so that the file's order counts"
        )


def _answered(rows: Dataset, first: int, spans: tuple[Span, ...]) -> Dataset:
    """The traffic as the log will hold it: under the ids and times of its predictions."""
    asked = [request for span in spans for request in span.requests]
    sizes = [request.stop - request.start for request in asked]
    ids = [prediction_id(request.identifier, row) for request in asked for row in range(request.stop - request.start)]
    stamps = np.array([request.moment.replace(tzinfo=None) for request in asked], dtype="datetime64[us]")
    traffic = rows.take(slice(first, None))
    return Dataset(np.array(ids, dtype=object), np.repeat(stamps, sizes), traffic.features, traffic.labels)
