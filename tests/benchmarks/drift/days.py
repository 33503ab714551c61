"""Unchanged days: sliding 24-hour windows seen every hour or every five minutes, at the level of repeated looks."""

import numpy as np
import pandas as pd

from selfheal.drift import Reference
from selfheal.drift.looks import level_of_one_look
from selfheal.drift.repeats import row_keys
from selfheal.drift.significance import ks_p_value
from tests.benchmarks.drift.worlds import CREDIT, generated_rows

SLOTS = 288
ROWS_A_DAY = 1000
REFERENCE_ROWS = 10_000
DAYS_A_REFERENCE = 20
COMPLETE = [name for name, feature in CREDIT.features.items() if not feature.nullable]


def unchanged_days(days: int = 800) -> dict[str, float]:
    """Share of days with an alarm by detection alone (relevance, which makes alarms rarer still, is left out).

    One stream of looks every five minutes serves both schedules, so that all days are the same days.
    """
    alarms = {"5_minutes": 0, "hourly": 0, "clustered_hourly": 0}
    rng = np.random.default_rng(4)
    for _ in range(days // DAYS_A_REFERENCE):
        reference = Reference(generated_rows(rng, REFERENCE_ROWS), CREDIT)
        smallest = _looks(reference, generated_rows(rng, ROWS_A_DAY * (DAYS_A_REFERENCE + 1)), rng)
        alarms["5_minutes"] += _days_with_alarm(smallest, 1)
        alarms["hourly"] += _days_with_alarm(smallest, 12)
        alarms["clustered_hourly"] += _days_with_alarm(_looks(reference, _customers(rng), rng), 12)
    return {name: count / days for name, count in alarms.items()}


def _customers(rng: np.random.Generator) -> pd.DataFrame:
    """A new set of 200 customers each day, each asking five times on average over the day."""
    parts = [
        generated_rows(rng, ROWS_A_DAY // 5).iloc[rng.integers(0, ROWS_A_DAY // 5, ROWS_A_DAY)]
        for _ in range(DAYS_A_REFERENCE + 1)
    ]
    return pd.concat(parts, ignore_index=True)


def _looks(reference: Reference, rows: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Dataset p-value of every look: shape (days, 288). The same functions as `judge`, all windows at once."""
    day = np.arange(len(rows)) // ROWS_A_DAY
    slot = np.sort(rng.integers(0, SLOTS, (DAYS_A_REFERENCE + 1, ROWS_A_DAY)), axis=1).ravel()
    position = day * SLOTS + slot
    slots = (DAYS_A_REFERENCE + 1) * SLOTS
    present = _windowed(np.bincount(position, minlength=slots)[:, None])[:, 0]
    effective = present / _inflation(reference, rows, position, slots, present)
    size = effective * reference.rows / (effective + reference.rows)
    p_values = []
    for feature in reference.features:
        if feature.name not in COMPLETE:
            continue
        cells = feature.cells.size
        counts = np.bincount(position * cells + feature.codes(rows[feature.name]), minlength=slots * cells)
        shares = _windowed(counts.reshape(slots, cells)) / present[:, None]
        p_values.append(ks_p_value(shares, feature.sample.shares, size))
    smallest = np.min(p_values, axis=0)
    dataset = [reference.null(s).p_value(p) for s, p in zip(size, smallest, strict=True)]
    return np.array(dataset).reshape(DAYS_A_REFERENCE, SLOTS)


def _windowed(counts: np.ndarray) -> np.ndarray:
    """Sums over the 288 slots up to each one, from the second day on."""
    sums = np.concatenate([np.zeros((1, counts.shape[1]), dtype=counts.dtype), np.cumsum(counts, axis=0)])
    return (sums[SLOTS:] - sums[:-SLOTS])[1:]


def _inflation(reference: Reference, rows: pd.DataFrame, position: np.ndarray, slots: int, present: np.ndarray):
    keys, _ = pd.factorize(row_keys(rows))
    if keys.max() + 1 == len(keys):
        return np.ones(len(present))
    pairs = np.zeros(len(present))
    for start in range(0, keys.max() + 1, 500):
        chosen = (keys >= start) & (keys < start + 500)
        counts = np.bincount(position[chosen] * 500 + keys[chosen] - start, minlength=slots * 500)
        inside = _windowed(counts.reshape(slots, 500).astype(np.float64))
        pairs += (inside * (inside - 1)).sum(axis=1)
    return np.maximum(1.0, 1 + (present - 1) * (pairs / (present * (present - 1)) - reference.collision_rate))


def _days_with_alarm(p_values: np.ndarray, every: int) -> int:
    looks = p_values[:, every - 1 :: every]
    level = level_of_one_look(CREDIT.policy.monitoring.false_alarm_rate, looks.shape[1])
    return int((looks <= level).any(axis=1).sum())
