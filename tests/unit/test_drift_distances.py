"""Distances between distributions: known answers, agreement with scipy, and what holds for all samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.spatial.distance import jensenshannon

from selfheal.drift.cells import NumericCells
from selfheal.drift.distances import (
    jensen_shannon,
    kolmogorov_smirnov,
    population_stability,
    rank_wasserstein,
)
from selfheal.drift.grid import Grid
from selfheal.drift.wasserstein import ReferenceArea

values = st.one_of(
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 6)), st.integers(-3, 3).map(float)
)
samples = arrays(np.float64, st.integers(1, 60), elements=values)


def grid_of(reference: np.ndarray) -> Grid:
    ordered = np.sort(reference)
    return Grid.of(NumericCells.of(ordered), ordered, np.zeros(0))


def distance(reference: np.ndarray, sample: np.ndarray) -> float:
    grid = grid_of(reference)
    return ReferenceArea.of(grid, np.sort(reference)).distance(grid.placed(np.sort(sample)))


WHOLE = arrays(np.float64, st.integers(1, 60), elements=st.integers(-9, 9).map(float))


@given(WHOLE, WHOLE)
def test_wasserstein_of_whole_numbers_agrees_with_scipy(first, second):
    """Ties, tails, constants and disjoint samples included."""
    assert distance(first, second) == pytest.approx(stats.wasserstein_distance(first, second), rel=1e-3, abs=1e-9)


@given(samples, samples)
def test_wasserstein_on_a_grid_is_bounded_on_both_sides(first, second):
    """Whatever the samples: never less than their means are apart, and never off by more than the widest gap."""
    found, exact = distance(first, second), stats.wasserstein_distance(first, second)
    assert found >= abs(first.mean() - second.mean()) * (1 - 1e-9) - 1e-9
    assert abs(found - exact) <= grid_of(first).widths.max()


DRAWS = {
    "normal": lambda rng, rows: rng.normal(size=rows),
    "heavy tail": lambda rng, rows: rng.lognormal(0, 2, rows),
    "rounded": lambda rng, rows: np.round(rng.lognormal(8, 1, rows), -1),
    "mostly nought": lambda rng, rows: np.where(rng.random(rows) < 0.7, 0.0, rng.exponential(1000, rows)),
    "few values": lambda rng, rows: rng.poisson(3, rows).astype(float),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@pytest.mark.parametrize(("known", "rows"), [(3_000, 200), (30_000, 20_000), (10_000, 200_000)])
@pytest.mark.parametrize("factor", [1.0, 1.05, 3.0])
def test_wasserstein_on_a_grid_is_right_to_one_per_cent(draw, known, rows, factor):
    """Unchanged, a little stretched, and in another scale; few rows and many."""
    rng = np.random.default_rng(5)
    reference, sample = draw(rng, known), draw(rng, rows) * factor
    assert distance(reference, sample) == pytest.approx(stats.wasserstein_distance(reference, sample), rel=0.01)


def shares(cells: NumericCells, sample: np.ndarray) -> np.ndarray:
    return cells.counts(np.sort(sample)) / len(sample)


@given(samples, samples)
def test_kolmogorov_smirnov_on_cells_is_exact_where_values_are_few(first, second):
    """With a knot for each distinct reference value the statistic on cells is that of the samples."""
    cells = NumericCells.of(np.sort(first))
    every = np.concatenate([first, second])
    expected = max(abs((first <= value).mean() - (second <= value).mean()) for value in every)
    assert kolmogorov_smirnov(shares(cells, second), shares(cells, first)) == pytest.approx(expected)


@given(samples)
def test_a_sample_has_no_distance_from_itself(sample):
    """Every distance of a sample from itself is 0."""
    own = shares(NumericCells.of(np.sort(sample)), sample)
    for found in (kolmogorov_smirnov, rank_wasserstein, jensen_shannon, population_stability):
        assert found(own, own) == pytest.approx(0, abs=1e-7)


def test_disjoint_samples_are_as_far_apart_as_can_be():
    """On disjoint samples KS and Jensen-Shannon are 1, and every value moved half of the rank scale."""
    cells = NumericCells.of(np.arange(100.0))
    below, above = shares(cells, np.arange(100.0)), shares(cells, np.arange(200.0, 300.0))
    assert kolmogorov_smirnov(above, below) == pytest.approx(1)
    assert jensen_shannon(above, below) == pytest.approx(1)
    assert rank_wasserstein(above, below) == pytest.approx(0.5, abs=0.01)


def test_jensen_shannon_agrees_with_scipy():
    """Base 2, square root of the divergence, as scipy has it."""
    first, second = np.array([0.5, 0.3, 0.2, 0.0]), np.array([0.1, 0.3, 0.2, 0.4])
    assert jensen_shannon(first, second) == pytest.approx(jensenshannon(first, second, base=2))


def test_rank_wasserstein_is_the_distance_of_mid_ranks():
    """It equals the Wasserstein distance of both samples after each value became its mid-rank in the reference."""
    reference, window = np.array([1.0, 1, 2, 5]), np.array([1.0, 2, 2, 7])
    cells = NumericCells.of(np.sort(reference))
    ranks = {1.0: 0.25, 2.0: 0.625, 5.0: 0.875, 7.0: 1.0}
    expected = stats.wasserstein_distance([ranks[v] for v in reference], [ranks[v] for v in window])
    assert rank_wasserstein(shares(cells, window), shares(cells, reference)) == pytest.approx(expected)


def test_a_heavy_tail_counts_by_its_rank():
    """A shift of one interquartile range is large on the rank scale, however heavy the tail."""
    rng = np.random.default_rng(1)
    reference = rng.lognormal(0, 4, 5000)
    spread = np.quantile(reference, 0.75) - np.quantile(reference, 0.25)
    cells = NumericCells.of(np.sort(reference))
    assert rank_wasserstein(shares(cells, reference + spread), shares(cells, reference)) > 0.2
    assert distance(reference, reference + spread) / reference.std() < 0.01


def test_a_value_between_below_or_above_all_known_ones_has_a_cell_of_its_own():
    """A constant reference sees a window that moved either way, and one that holds a new value between two old ones."""
    cells = NumericCells.of(np.array([5.0, 5.0]))
    assert [int(code) for code in cells.codes(np.array([4.0, 5.0, 6.0, np.nan]))] == [0, 1, 2, 3]
    cells = NumericCells.of(np.array([0.0, 1.0]))
    assert int(cells.codes(np.array([0.5]))[0]) == 2


@given(samples, samples)
def test_codes_and_counts_agree(reference, sample):
    """Counting sorted values by cell and coding each value are the same partition."""
    cells = NumericCells.of(np.sort(reference))
    counted = np.bincount(cells.codes(sample), minlength=cells.size)
    assert (counted[: cells.size] == cells.counts(np.sort(sample))).all()
