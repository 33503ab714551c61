"""Whoever may send labels can't slow the loop down by labelling what was never predicted."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from selfheal.contract import parse_contract
from selfheal.drift import Reference
from selfheal.records.labels import Label, Upload
from selfheal.records.predictions import Prediction, new_request_id, prediction_id, timestamp_of
from selfheal.stores.bucket import StoredObject
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.labels.ingest import ingest_labels
from selfheal.usecases.labels.labelled_rows import labelled_rows
from selfheal.usecases.monitor.hours import HourSummaries
from selfheal.usecases.monitor.recent import read_traffic
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = 60
NOW = START + DAYS * DAY
CONTRACT = parse_contract('[model]\nname = "small"\ntarget = "y"\n[features.x]\ntype = "number"\n')

REFERENCE = Reference(pd.DataFrame({"x": np.arange(50.0)}), CONTRACT)


class Counting(MemoryBucket):
    """A bucket that counts the objects and pages that are asked for."""

    calls = 0

    def get(self, key: str) -> StoredObject:
        self.calls += 1
        return super().get(key)

    def get_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for key in keys:
            self.calls += 1
            yield from super().get_many([key])

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        self.calls += 1
        return super().keys(prefix, start_after)


@pytest.fixture(scope="module")
def past() -> dict[str, bytes]:
    """Two months with a prediction every six hours, of which those of one old day and of the last one are labelled."""
    stores = Stores(MemoryBucket(), MemoryBucket())
    for hour in range(0, DAYS * 24, 6):
        moment = START + hour * HOUR
        key = prediction_id(new_request_id(moment), 0)
        logged = Prediction(
            prediction_id=key,
            timestamp=timestamp_of(moment),
            model_version="v1",
            probability=0.25,
            prediction=0,
            features={"x": 1.0},
        )
        stores.prediction_log.append(key[:26], [logged])
        if hour // 24 in (3, DAYS - 1):
            stores.labels.accept([label(key)])
        if hour % 72 == 0:
            roll_up_closed_hours(stores, moment)
    return dict(stores.data.get_many(stores.data.keys("")))


@pytest.fixture
def stores(past: dict[str, bytes]) -> Stores:
    stores = Stores(Counting(), MemoryBucket())
    for key, body in past.items():
        stores.data.put(key, body)
    return stores


def label(key: str) -> Label:
    return Label(prediction_id=key, label=1, label_timestamp=NOW, received_at=NOW)


def look(stores: Stores) -> tuple[int, int]:
    """The labelled predictions that monitoring finds, and what it asks of the store."""
    stores.data.calls = 0
    summaries = HourSummaries.since(stores, "v1", CONTRACT, REFERENCE, NOW - DAY)
    found = read_traffic(stores, CONTRACT, summaries, NOW - DAY, NOW)
    return len(found.recent.labelled), stores.data.calls


@pytest.mark.parametrize("hour", [0.5, 12.5])
def test_a_made_up_label_costs_no_day_of_predictions(stores: Stores, hour: float):
    """One on each of sixty days: the same labelled rows are found, with a handful of reads for each."""
    found, calls = look(stores)
    assert found == 8
    for day in range(DAYS):
        stores.labels.accept([label(prediction_id(new_request_id(START + day * DAY + hour * HOUR), 0))])
    again, calls_again = look(stores)
    assert again == found
    assert calls_again - calls <= 5 * DAYS
    assert len(labelled_rows(stores, CONTRACT, START, NOW)) == 8


def test_labelled_predictions_that_lie_beside_the_roll_ups_count(past: dict[str, bytes]):
    """Of a day on which only a late log object's prediction is labelled, and of hours that aren't rolled up yet."""
    stores = Stores(MemoryBucket(), MemoryBucket())
    for key, body in past.items():
        if "hourly/dt=2026-04" not in key:
            stores.data.put(key, body)
    moment = START + 20.5 * DAY
    late = new_request_id(moment)
    request = next(key for key in stores.data.keys("predictions/dt=2026-04-10/")).rsplit("/", 1)[-1][:26]
    example = stores.prediction_log.read(request)[0]
    stores.prediction_log.append(
        late, [{**example, "prediction_id": f"{late}-0000", "timestamp": timestamp_of(moment)}]
    )
    for key in (f"{late}-0000", f"{request}-0000"):
        stores.labels.accept([label(key)])
    assert look(stores)[0] == 10


def test_a_request_about_ten_thousand_days_isn_t_ten_thousand_writes(stores: Stores):
    """Labels of times from which no prediction is kept, or that are still to come, are refused with the reason."""
    keys = [prediction_id(new_request_id(START + (day - 9_000) * DAY), 0) for day in range(10_000)]
    body = "prediction_id,label\n" + "".join(f"{key},1\n" for key in keys)
    before = len(list(stores.data.keys("labels/accepted/")))
    stores.labels.receive("many.csv", body.encode())
    upload = Upload(key="labels/incoming/many.csv", size=len(body), uploaded_at=START)
    report = ingest_labels(stores, upload)
    assert report.accepted + report.rejected == 10_000
    assert len(list(stores.data.keys("labels/accepted/"))) - before == report.accepted == 401
    refused = stores.data.get(report.refusals).body.decode()
    assert refused.count("more than 400 days before the upload") == 8_600
    assert refused.count("of a time after the upload") == 999
