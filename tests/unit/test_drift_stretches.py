"""What a reference knows of its own stretches of time, and that a value held for as long is no broken pipeline."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal.contract import parse_contract
from selfheal.data.moments import as_datetime64
from selfheal.drift import Reference
from selfheal.drift.stretches import FEWEST_ROWS, NO_STRETCH, Stretch, Times
from selfheal.monitoring.quality import Inputs, quality_findings
from selfheal.monitoring.unchanged import unchanged_features
from selfheal.records.monitoring import Unchanged

CONTRACT = parse_contract("""
[model]
name = "rentals"
task = "regression"
target = "rented"
[features.month]
type = "integer"
[features.hour]
type = "integer"
[features.weather]
type = "category"
[features.radiation]
type = "number"
nullable = true
""")
START = datetime(2025, 1, 1, tzinfo=UTC)
YEAR = 365 * 24
DAY = np.timedelta64(24, "h")


def hours(start: datetime, rows: int) -> pd.DataFrame:
    """A row each hour; radiation is measured from April on and varies, as the weather does."""
    moments = [start + timedelta(hours=hour) for hour in range(rows)]
    rng = np.random.default_rng(rows)
    measured = np.array([moment.month > 3 for moment in moments])
    return pd.DataFrame(
        {
            "month": [float(moment.month) for moment in moments],
            "hour": [float(moment.hour) for moment in moments],
            "weather": rng.choice(["dry", "wet", "snow"], rows, p=[0.45, 0.35, 0.2]).astype(object),
            "radiation": np.where(measured, rng.normal(size=rows), np.nan),
        }
    )


@pytest.fixture(scope="module")
def reference() -> Reference:
    rows = hours(START, YEAR)
    return Reference(rows, CONTRACT, Times(as_datetime64(START) + np.arange(YEAR) * np.timedelta64(1, "h")))


def faulty(
    reference: Reference,
    rows: pd.DataFrame,
    lasts: np.timedelta64 | None = DAY,
    unchanged: dict[str, np.timedelta64] | None = None,
) -> set[tuple[str, str | None]]:
    found = quality_findings(reference, [Inputs(reference.summary_of(rows), rows, lasts, unchanged or {})])
    return {(finding.kind, finding.feature) for finding in found if finding.severity == "fault"}


def test_a_month_that_lasts_is_no_fault_and_a_frozen_hour_is_one(reference):
    """Four days in October hold one month, as each four days of training did; one hour of the day they never held."""
    rows = hours(datetime(2026, 10, 5, tzinfo=UTC), 96)
    assert faulty(reference, rows, 4 * DAY) == set()
    assert faulty(reference, rows.assign(hour=7.0), 4 * DAY) == {("frozen_value", "hour")}
    assert faulty(reference, rows.assign(weather="dry"), 4 * DAY) == {("frozen_value", "weather")}


def test_dense_traffic_is_compared_by_time_and_undated_rows_by_their_number(reference):
    """A hundred rows an hour hold a month for more rows than a year's training did, but not for longer."""
    dense = pd.concat([hours(datetime(2026, 10, 5, tzinfo=UTC), 24)] * 100, ignore_index=True)
    assert ("frozen_value", "month") not in faulty(reference, dense)
    assert ("frozen_value", "month") in faulty(reference, dense, lasts=None)
    assert ("frozen_value", "month") not in faulty(reference, dense.head(700), lasts=None)


def test_a_month_that_never_ends_is_a_fault(reference):
    """Held for half as long again as the longest month of training, a month is frozen, though the window is a day."""
    rows = hours(datetime(2026, 10, 5, tzinfo=UTC), 60)
    assert faulty(reference, rows, unchanged={"month": 45 * DAY}) == set()
    assert faulty(reference, rows, unchanged={"month": 50 * DAY}) == {("frozen_value", "month")}


def test_what_training_lacked_for_as_long_is_no_fault(reference):
    """Radiation was missing for months of training: days without it are told. Missing here and there is no stretch."""
    rows = hours(datetime(2026, 1, 5, tzinfo=UTC), 72)
    found = quality_findings(reference, [Inputs(reference.summary_of(rows), rows, 3 * DAY)])
    assert [one.severity for one in found if one.feature == "radiation"] == ["warning"]
    shuffled = Reference(hours(START, YEAR).sample(frac=1.0, random_state=0), CONTRACT)
    assert faulty(shuffled, rows.assign(month=np.arange(72.0) % 12 + 1)) == {("missing_share", "radiation")}


def test_a_value_is_held_since_the_first_window_that_it_filled(reference):
    """From window to window the same value keeps its moment; another value, or a mixed window, begins anew."""

    def held(rows: pd.DataFrame, start: datetime, before: tuple[Unchanged, ...]) -> tuple[Unchanged, ...]:
        return tuple(unchanged_features(reference, reference.summary_of(rows), rows, start, before))

    october, november, day = datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC), timedelta(days=1)
    first = held(hours(october, 60), october, ())
    assert [(one.feature, one.since) for one in first] == [("month", october)]
    assert held(hours(october + day, 60), october + day, first) == first
    (other,) = held(hours(november, 60), november, first)
    assert other.since == november
    assert other.value != first[0].value
    assert held(hours(datetime(2026, 10, 31, tzinfo=UTC), 60), november, first) == ()


def longest_by_trying(holds: list[bool], share: float) -> int:
    """All stretches of at least the fewest rows."""
    return max(
        (
            stop - start
            for start in range(len(holds))
            for stop in range(start + FEWEST_ROWS, len(holds) + 1)
            if holds[start] and holds[stop - 1] and sum(holds[start:stop]) >= share * (stop - start) - 1e-9
        ),
        default=0,
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([True, True, True, False]), min_size=1, max_size=90), st.sampled_from([0.6, 0.8, 0.95]))
def test_the_longest_stretch_is_the_longest_of_all(holds: list[bool], share: float):
    """Whatever is missing: the stretch found is what trying all of them finds, by rows and by time."""
    column = pd.Series(np.where(holds, np.nan, 1.0))
    moments = np.datetime64("2026-01-01", "us") + np.arange(len(holds)) * np.timedelta64(1, "m")
    found, expected = Times(moments, rows_each=2.0).longest_missing(column, share), longest_by_trying(holds, share)
    if not expected:
        assert found == NO_STRETCH
        return
    assert found == Stretch(2.0 * expected, np.timedelta64(expected - 1, "m"))
