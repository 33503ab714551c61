"""A version's training set and rows labelled since as one table: each row once, under its newest label."""

from dataclasses import dataclass

import numpy as np

from selfheal.tables.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Merged:
    """The rows in time order, and what became of those that both tables hold.

    added: rows that only the newer table holds. repeated: rows of both under one label. relabelled: rows of both whose
    newer label contradicts the older one; they carry the newer one now.
    """

    rows: Dataset
    added: int
    repeated: int
    relabelled: int


def merged(base: Dataset, newer: Dataset) -> Merged:
    """Join two tables by row id; where their labels conflict, the newer table is right."""
    place = {row_id: position for position, row_id in enumerate(base.row_ids)}
    known = np.array([place.get(row_id, -1) for row_id in newer.row_ids], dtype=np.intp)
    is_known = known >= 0
    labels = base.labels.copy()
    labels[known[is_known]] = newer.labels[is_known]
    relabelled = int((labels != base.labels).sum())
    corrected = Dataset(base.row_ids, base.timestamps, base.features, labels)
    return Merged(
        rows=Dataset.concatenate([corrected, newer.take(~is_known)]).in_time_order(),
        added=int((~is_known).sum()),
        repeated=int(is_known.sum()) - relabelled,
        relabelled=relabelled,
    )
