"""Predictions that lie in more than one part of an hour: a stream may deliver a line twice, in two of its objects."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from selfheal.tables.sample import Hashes, id_hashes


def repeated(parts: Iterable[Hashes]) -> Hashes:
    """The hashes that more than one part holds, ascending; each part's own are told apart already.

    parts: hashes of the ids of each part, shape (rows,), in any order. Eight bytes a row are held, whatever a row has.
    """
    distinct = [np.unique(hashes) for hashes in parts]
    together = np.sort(np.concatenate(distinct)) if distinct else np.zeros(0, dtype=np.uint64)
    return np.unique(together[1:][together[1:] == together[:-1]])


class Seen:
    """The ids that earlier parts hold, of those whose hash is repeated: few, and compared as what they are."""

    def __init__(self, suspects: Hashes) -> None:
        self._suspects = suspects
        self._ids: set[str] = set()

    def are_new(self, ids: NDArray[np.object_]) -> NDArray[np.bool_]:
        """Which of a part's ids no earlier part has shown, shape (len(ids),); they count as seen from now on."""
        places = np.flatnonzero(np.isin(id_hashes(ids), self._suspects))
        are_new = np.ones(len(ids), dtype=bool)
        are_new[places] = [key not in self._ids for key in ids[places]]
        self._ids.update(ids[places])
        return are_new
