"""Cutting a history up: moments, periods, requests, and when which label is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from selfheal.contract import parse_contract
from selfheal.records.predictions import moment_of
from selfheal.tables.dataset import Dataset
from selfheal_tools.backtest.errors import BacktestImpossible
from selfheal_tools.backtest.history import read_history
from selfheal_tools.backtest.moments import has_times, paced, since_1970, spread
from selfheal_tools.backtest.stream import MOST_REQUESTS, Stream, stream_of

START = np.datetime64("2026-01-01T00:00:00", "us")
DAY, HOUR = np.timedelta64(1, "D"), np.timedelta64(1, "h")


def rows(count: int = 1_000, step: np.timedelta64 = HOUR) -> Dataset:
    moments = START + np.arange(count) * step.astype("timedelta64[us]")
    ids = np.array([f"base-{row:09d}" for row in range(count)], dtype=object)
    labels = (np.arange(count) % 3 == 0).astype(np.int8)
    return Dataset(ids, moments, pd.DataFrame({"x": np.arange(count, dtype=float)}), labels)


def stream(data: Dataset | None = None, **changed: float) -> Stream:
    asked = {"periods": 4, "initial": 0.2, "label_delay": 1, "label_rate": 1.0, "seed": 0, **changed}
    return stream_of(rows() if data is None else data, **asked)


def test_rows_of_one_day_are_spread_over_that_day_in_their_order():
    """A date stands for its whole day: four rows of one are six hours apart."""
    moments = np.array([START] * 4 + [START + DAY] * 2)
    hours = (spread(moments) - START) / np.timedelta64(1, "h")
    assert hours.tolist() == [0, 6, 12, 18, 24, 36]


def test_rows_without_times_pass_at_a_week_a_period():
    """A file without times still has a pace: its last row keeps its moment."""
    moments = START + np.arange(71) * np.timedelta64(1, "s")
    assert not has_times(moments)
    week = paced(moments, rows_a_period=7)
    assert week[-1] == moments[-1]
    assert (np.diff(week) == DAY).all()


def test_periods_hold_equally_many_rows_and_follow_each_other():
    """800 rows of traffic in four periods of 200, each beginning where the one before it ends."""
    spans = stream().spans
    assert [span.stop - span.start for span in spans] == [200] * 4
    assert all(after.begins == before.ends for before, after in pairwise(spans))
    assert spans[0].begins == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=200)


def test_every_row_is_asked_about_once_and_never_before_it_happened():
    """Requests cover the traffic without gaps, each at the moment of its last row."""
    found = stream()
    requests = [request for span in found.spans for request in span.requests]
    assert [request.start for request in requests] == [0, *(request.stop for request in requests[:-1])]
    assert requests[-1].stop == 800
    original = rows().timestamps[200:]
    assert (found.traffic.timestamps >= original).all()
    assert all(moment_of(request.identifier) == request.moment for request in requests)
    assert max(len(span.requests) for span in found.spans) <= MOST_REQUESTS


def test_labels_arrive_a_delay_of_whole_periods_later():
    """With a delay of one, the labels of period 1 are known at the end of period 2, and not before."""
    found = stream()
    assert len(found.known(1)) == 0
    assert found.delivered(2).tolist() == list(range(200))
    assert found.known(4).tolist() == list(range(600))
    assert stream(label_delay=0).delivered(1).tolist() == list(range(200))


def test_a_share_of_labels_never_comes_the_same_for_the_same_seed():
    """Which rows are labelled follows from the seed alone."""
    few, same, other = stream(label_rate=0.4), stream(label_rate=0.4), stream(label_rate=0.4, seed=1)
    assert 0.3 < few.comes.mean() < 0.5
    assert (few.comes == same.comes).all()
    assert (few.comes != other.comes).any()
    assert (few.traffic.row_ids == same.traffic.row_ids).all()


def test_too_few_rows_are_refused_with_what_would_do():
    """Twenty periods of a hundred rows say nothing."""
    with pytest.raises(BacktestImpossible, match="fewer --periods"):
        stream(rows(100), periods=20)


def test_rows_within_a_millisecond_are_refused_by_name():
    """Prediction ids can't tell such rows apart."""
    with pytest.raises(BacktestImpossible, match="time_column"):
        stream(rows(step=np.timedelta64(1, "us")))


@pytest.mark.parametrize(("year", "years"), [("2001", 0), ("1972", 0), ("1971", 28), ("1961", 28), ("1923", 56)])
def test_times_before_ids_begin_are_replayed_later_on_the_same_days_of_the_week(year: str, years: int):
    """A history of 1961 has days, weekdays and pace of its own in 1989; one of our time stays as it is."""
    old = rows(step=np.timedelta64(6, "h"))
    moments = old.timestamps - old.timestamps[0] + np.datetime64(year, "us")
    later, shifted = since_1970(moments)
    assert shifted == years
    assert set(np.diff(later)) == set(np.diff(moments))
    assert later[0].astype(datetime).weekday() == moments[0].astype(datetime).weekday()
    assert later[0].astype(datetime).year == int(year) + years
    assert len(stream(replace(old, timestamps=later)).spans) > 0


def test_a_history_of_several_classes_names_all_of_them(tmp_path: Path):
    """A contract that lists none gets those of the file, in their order; labels are positions among them."""
    text = '[model]\nname = "a"\ntarget = "y"\ntask = "multiclass"\n[features.x]\ntype = "number"\n'
    path = tmp_path / "data.csv"
    path.write_text("x,y\n1,red\n2,blue\n3,red\n")
    history = read_history(path, parse_contract(text), now=datetime(2026, 1, 1, tzinfo=UTC))
    assert history.contract.model.classes == ("blue", "red")
    assert history.rows.labels.tolist() == [1, 0, 1]
