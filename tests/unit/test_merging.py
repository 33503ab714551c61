"""Training rows of two tables as one."""

import numpy as np

from selfheal.data.merging import merged
from tests.support.rows import mixed_rows


def test_each_row_comes_once_under_its_newest_label():
    """Rows of both tables count as repeated or relabelled; the newer label wins; the rest is added in time order."""
    rows = mixed_rows(100)
    base, newer = rows.take(slice(0, 60)), rows.take(np.arange(50, 100))
    newer.labels[[0, 3]] ^= 1
    result = merged(base, newer)
    assert (result.added, result.repeated, result.relabelled) == (40, 8, 2)
    assert result.rows.row_ids.tolist() == rows.row_ids.tolist()
    expected = rows.labels.copy()
    expected[50:] = newer.labels
    assert result.rows.labels.tolist() == expected.tolist()


def test_the_tables_themselves_stay_as_they_are():
    """Correcting labels makes a new table: what was frozen stays frozen."""
    base = mixed_rows(10)
    before = base.labels.copy()
    newer = base.take(np.arange(10))
    newer.labels[:] ^= 1
    merged(base, newer)
    assert np.array_equal(base.labels, before)


def test_tables_without_common_rows_are_put_in_time_order():
    """Whichever is older comes first."""
    rows = mixed_rows(20)
    result = merged(rows.take(slice(10, 20)), rows.take(slice(0, 10)))
    assert result.rows.row_ids.tolist() == rows.row_ids.tolist()
    assert result.added == 10
