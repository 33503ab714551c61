"""Which rows train where there are more than memory holds, or than the contract wants."""

from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selfheal.contract import Contract
from selfheal.data.moments import as_datetime64
from selfheal.tables.dataset import Dataset
from selfheal.tables.sample import id_hashes
from selfheal.tables.thinning import Reading, most_rows, thinned, was_left_out
from tests.support.rows import MIXED, NEWEST, mixed_rows


def of_at_most(rows: int, window: str | int = "auto") -> Contract:
    policy = MIXED.policy.retraining.model_copy(update={"maximum_rows": rows, "window": window})
    return MIXED.with_policy(MIXED.policy.model_copy(update={"retraining": policy}))


THOUSAND = of_at_most(1000)


def test_below_the_limit_all_rows_train():
    """Nothing is sampled, and nothing is said of a sample."""
    rows = mixed_rows(1000)
    found = thinned(rows, THOUSAND)
    assert found.rows is rows
    assert found.sampling is None
    assert Reading(THOUSAND).kept(rows).all()


def test_the_limit_is_the_contracts_and_at_most_what_memory_holds(monkeypatch: pytest.MonkeyPatch):
    """`auto` is as many rows as their features leave room for; a larger number changes nothing."""
    monkeypatch.setattr("selfheal.tables.thinning.MOST_VALUES", 12_000)
    assert (most_rows(MIXED), most_rows(THOUSAND), most_rows(of_at_most(5000))) == (2000, 1000, 2000)


def test_the_newest_half_is_whole_and_older_rows_are_those_of_the_smallest_hashes():
    """Of 3,000 rows 1,000 train, in their order; what is written down of it is enough to tell who was left out."""
    rows = mixed_rows(3000)
    found = thinned(rows, THOUSAND)
    older = rows.row_ids[:2500]
    smallest = older[np.sort(np.argsort(id_hashes(older))[:500])]
    assert found.rows.row_ids.tolist() == [*smallest, *rows.row_ids[2500:]]
    assert found.sampling is not None
    assert found.sampling.held == 3000
    assert found.sampling.whole_from == NEWEST - timedelta(minutes=499)
    assert found.sampling.older_share == pytest.approx(0.2, abs=0.03)
    assert rows.row_ids[~was_left_out(rows, found.sampling)].tolist() == found.rows.row_ids.tolist()


def test_rows_within_the_window_of_days_come_before_older_ones():
    """The last day has 1,440 rows: where 1,500 train, all of it does, since older ones wouldn't be fitted."""
    rows = mixed_rows(6000)
    found = thinned(rows, of_at_most(1500, window=1)).rows
    assert (found.timestamps >= as_datetime64(NEWEST - timedelta(days=1))).sum() == 1441
    assert len(found) == 1500


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 2500), max_size=4), st.integers(0, 2**32), st.booleans())
@example(cuts=[2494], seed=0, at_once=False)
def test_thinning_in_parts_gives_the_sample_of_all(cuts: list[int], seed: int, at_once):
    """However the rows are divided and in whatever order they come; also where all are of one moment."""
    rows = mixed_rows(2500)
    if at_once:
        rows = Dataset(rows.row_ids, np.full_like(rows.timestamps, rows.timestamps[0]), rows.features, rows.labels)
    mixed = rows.take(np.random.default_rng(seed).permutation(len(rows)))
    so_far: list[Dataset] = []
    reading = Reading(THOUSAND)
    for first, last in pairwise([0, *sorted(cuts), 2500]):
        read = Dataset.concatenate([*so_far, mixed.take(slice(first, last))])
        so_far = [read.take(reading.kept(read))]
    in_parts, whole = thinned(so_far[0], THOUSAND, reading), thinned(rows, THOUSAND)
    assert len(whole.rows) == 1000
    assert set(in_parts.rows.row_ids) == set(whole.rows.row_ids)
    assert in_parts.sampling == whole.sampling
