"""Monitoring from hours' summaries: what runs say is what rows say, and hours that are known aren't read again."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from selfheal.contract import default_contract
from selfheal.monitoring.hour import HourSummary, is_cut
from selfheal.monitoring.packing import packed, unpacked
from selfheal.monitoring.window import WindowSummary
from selfheal.prefixes import PREDICTIONS_HOURLY, SUMMARIES
from selfheal.records.monitoring import DriftSummary
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.tables.sample import id_hashes
from selfheal.usecases.monitor.inputs import read_production
from selfheal_tools.simulation.credit import Phase, credit_rows
from tests.support.monitoring import HOUR, START, CreditWorld, copy_of, trained_registry
from tests.support.reading import ReadBucket


class Forgetful(MemoryBucket):
    """Keeps no summary, as if none were ever written."""

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        return iter(()) if prefix.startswith(SUMMARIES) else super().keys(prefix, start_after)


def world_on(data: MemoryBucket) -> CreditWorld:
    return CreditWorld(Stores(data, copy_of(trained_registry())))


def comparable(summary: DriftSummary) -> dict[str, Any]:
    """All but the line of earlier runs."""
    return summary.model_dump(mode="json", exclude={"timeline"})


def nearly(value: Any) -> Any:
    """The same to nine digits, whatever it is made of."""
    if isinstance(value, dict):
        return {name: nearly(part) for name, part in value.items()}
    if isinstance(value, list):
        return [nearly(part) for part in value]
    return pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value


@pytest.mark.parametrize(("minutes", "phase"), [(0, Phase.CALM), (25, Phase.STRESS)])
def test_runs_from_summaries_say_what_runs_from_rows_say(minutes: int, phase: Phase):
    """Two worlds alike, one of which forgets its summaries: every figure of two runs is the same."""
    worlds = [world_on(MemoryBucket()), world_on(Forgetful())]
    for world in worlds:
        world.hours(26, rows=30, label_delay=30)
        world.now += timedelta(minutes=minutes)
    for _ in range(2):
        found = [world.summary(world.run()) for world in worlds]
        assert comparable(found[0]) == nearly(comparable(found[1]))
        for world in worlds:
            world.hours(3, rows=30, phase=phase, label_delay=30)


def test_a_whole_hour_without_labels_is_read_once():
    """The next run reads the summaries of the day, and of the rows those of hours that begin or end within a window."""
    data = ReadBucket()
    world = world_on(data)
    world.hours(30, label_delay=None)
    world.now += timedelta(minutes=25)
    world.run()
    data.read.clear()
    world.now += timedelta(minutes=5)
    world.run()
    hours = [key for key in data.read if key.startswith(PREDICTIONS_HOURLY)]
    assert len(hours) == 3, "those that the last 1, 6 and 24 hours cut"
    assert len([key for key in data.read if key.startswith(SUMMARIES)]) == 21


def test_rows_that_came_late_make_an_hour_anew():
    """A log object that is put back later is in what the next run says."""
    world = world_on(MemoryBucket())
    world.hours(24, label_delay=None)
    world.now += timedelta(minutes=30)
    before = world.summary(world.run())
    later, world.now = world.now, START + 20 * HOUR
    world.log(credit_rows(world.rng, 40)[0])
    world.now = later
    after = world.summary(world.run())
    assert after.coverage.predictions == before.coverage.predictions + 40
    assert after.detection is not None
    assert before.detection is not None
    assert after.detection.n == before.detection.n + 40


def test_a_summary_that_is_none_is_made_again():
    """Bytes of another release, or broken ones, cost a reading of the hour and nothing else."""
    world = world_on(MemoryBucket())
    world.hours(24, label_delay=None)
    world.now += timedelta(minutes=30)
    before = world.summary(world.run())
    for key in world.stores.data.keys(SUMMARIES):
        world.stores.data.put(key, b"of another release")
    assert comparable(world.summary(world.run()))["features"] == comparable(before)["features"]


def test_a_summary_is_the_same_after_it_was_bytes():
    """Counts, sums, samples and missing values; the bytes are the same each time, and a part of them is no summary."""
    world = world_on(MemoryBucket())
    production = read_production(world.stores)
    world.hours(1, label_delay=None)
    rows = world.stores.history.window(START, START + HOUR, default_contract())
    hashes = id_hashes(rows.prediction_ids)
    window = WindowSummary.of(rows, hashes, production.reference)
    body = packed(HourSummary.of(START, rows, hashes, window))
    again = unpacked(body, default_contract())
    assert again is not None
    assert packed(again) == body
    assert [unpacked(body[:n], default_contract()) for n in (0, 20, 40, len(body) // 2, len(body) - 1)] == [None] * 5
    pd.testing.assert_frame_equal(again.window.sample.features, rows.features)
    assert again.window.sample.prediction_ids.tolist() == rows.prediction_ids.tolist()
    assert again.minutes[30].tolist() == [40, rows.predictions.sum(), pytest.approx(rows.probabilities.sum())]
    assert np.array_equal(again.answers.hashes, hashes)


def test_an_hour_is_cut_where_one_of_the_hours_that_are_told_begins_within_it():
    """At a whole hour none is."""
    assert not any(is_cut(START - age * HOUR, START) for age in range(30))
    now = START + timedelta(minutes=10)
    assert [age for age in range(30) if is_cut(START - age * HOUR, now)] == [1, 6, 24]
