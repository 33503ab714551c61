"""The resampled null: against resampling both samples, and its use in both directions."""

import itertools

import numpy as np
import pytest

from selfheal.contract import default_contract
from selfheal.drift import Reference
from selfheal.drift.cells import NumericCells
from selfheal.drift.looks import level_of_one_look
from selfheal.drift.null import Null, null_size
from selfheal.drift.significance import ks_p_value
from selfheal_tools.simulation.credit import credit_rows

CONTRACT = default_contract()


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(credit_rows(np.random.default_rng(0), 4000)[0], CONTRACT)


def smallest_p_value(reference: np.ndarray, window: np.ndarray) -> float:
    m, n = len(reference), len(window)
    found = []
    for before, after in zip(reference.T, window.T, strict=True):
        cells = NumericCells.of(np.sort(before))
        shares = [cells.counts(np.sort(sample)) / len(sample) for sample in (after, before)]
        found.append(float(ks_p_value(shares[0], shares[1], m * n / (m + n))))
    return min(found)


@pytest.mark.parametrize(("m", "n"), [(2000, 300), (600, 600), (300, 2000)])
def test_the_null_agrees_with_resampling_reference_and_window(reference, m, n):
    """Tabulated for m n / (m + n) rows, it holds with a reference drawn anew, also where the window is the larger."""
    names = [name for name, feature in CONTRACT.features.items() if not feature.nullable]
    drawn = credit_rows(np.random.default_rng(1), 200 * (m + n))[0][names].to_numpy().reshape(200, m + n, len(names))
    null = reference.null(m * n / (m + n))
    below = np.mean([null.p_value(smallest_p_value(rows[:m], rows[m:])) <= 0.1 for rows in drawn])
    # The two nullable features are in the null alone, which makes it a little more careful than these eight.
    assert 0.02 <= below <= 0.16


def test_p_value_and_critical_value_are_inverse(reference):
    """The bar for a level has that level as its p-value, in the body of the draws and far in their tail."""
    null = reference.null(1000)
    for level in (0.2, 0.05, 0.004, 1e-6):
        assert null.p_value(null.critical(level)) == pytest.approx(level, rel=0.05)


def test_p_values_fall_with_the_statistic(reference):
    """A smaller minimum never has a larger p-value, also where the tail takes over from the draws."""
    null = reference.null(500)
    p_values = [null.p_value(minimum) for minimum in np.geomspace(1e-12, 1, 400)]
    assert all(low <= high * 1.3 for low, high in itertools.pairwise(p_values))
    assert p_values[-1] == 1


def test_independent_uniform_minima_need_sidaks_correction():
    """For k independent tests the far tail is 1 - (1 - p)^k."""
    rng = np.random.default_rng(3)
    null = Null(100, np.sort(rng.random((20_000, 10)).min(axis=1)), np.zeros(10))
    assert null.p_value(1e-5) == pytest.approx(1e-4, rel=0.4)


def test_null_sizes_are_powers_of_two_within_limits():
    """Sizes share a null with their neighbours, so that sliding windows don't resample anew."""
    assert [null_size(size) for size in (1, 100, 200, 700, 1e6)] == [64, 128, 256, 512, 512]


def test_expected_effects_shrink_with_the_square_root_of_the_size(reference):
    """Four times as many rows show half the distance in an unchanged world."""
    small, large = reference.null(128), reference.null(512)
    assert np.median(small.effects / large.effects) == pytest.approx(2, rel=0.1)
    assert np.median(large.effects_at(128.0) / small.effects) == pytest.approx(1, rel=0.1)


def test_a_day_of_looks_shares_one_false_alarm_rate():
    """Few looks share it evenly; however many there are, they count as twelve."""
    assert level_of_one_look(0.05, 4) == 0.0125
    assert level_of_one_look(0.05, 24) == level_of_one_look(0.05, 288) == pytest.approx(0.05 / 12)
    assert level_of_one_look(0.05, 0.5) == 0.05
