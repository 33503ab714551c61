"""How the newest version of each moment would have fared in production, where the truth has come since."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from selfheal.composition import Stores
from selfheal.data.dataset import Dataset
from selfheal.data.moments import as_datetime64
from selfheal.records.manifest import Manifest
from selfheal.usecases.scoring import UNREADABLE, model_of

# The newest ones: each is read and asked.
MOST_VERSIONS = 30
# A probability of exactly 0 or 1 has no log-odds.
SMALLEST = 1e-12
FOR_EVER = np.datetime64("9999-12-31", "us")


@dataclass(frozen=True, eq=False)
class TrackRecord:
    """n labelled rows, each scored by the newest version that was trained by then, promoted or not; shape (n,) each.

    scores: log-odds. labels: 0 or 1. versions: a number for each version.
    """

    scores: NDArray[np.float64]
    labels: NDArray[np.int8]
    versions: NDArray[np.intp]


def track_record(stores: Stores, labelled: Dataset) -> TrackRecord:
    """The record of the versions in the registry, as they were fitted. One that can't be read has none.

    Raises:
        StoreUnavailable: the registry doesn't answer.
    """
    scores, labels = [np.empty(0)], [np.empty(0, dtype=np.int8)]
    for manifest, rows in _turns(stores, labelled):
        with suppress(*UNREADABLE):
            scores.append(_scores(stores, manifest, rows))
            labels.append(rows.labels)
    versions = np.repeat(np.arange(len(labels)), [len(part) for part in labels])
    return TrackRecord(np.concatenate(scores), np.concatenate(labels), versions)


def _turns(stores: Stores, labelled: Dataset) -> Iterator[tuple[Manifest, Dataset]]:
    """Each version with the rows that were asked about between its training and that of the next one."""
    manifests = sorted(islice(_fitted(stores, labelled), MOST_VERSIONS), key=lambda manifest: manifest.created_at)
    trained_at = [as_datetime64(manifest.created_at) for manifest in manifests]
    for manifest, (begins, ends) in zip(manifests, pairwise([*trained_at, FOR_EVER]), strict=True):
        rows = labelled.take((labelled.timestamps >= begins) & (labelled.timestamps < ends))
        if len(rows):
            yield manifest, rows


def _fitted(stores: Stores, labelled: Dataset) -> Iterator[Manifest]:
    """Versions of the same features, newest first; a modest one is another one's model."""
    for version in reversed(list(stores.models.versions())):
        with suppress(*UNREADABLE):
            manifest = stores.models.manifest(version)
            if manifest.confidence is None and list(manifest.contract.feature_names) == list(labelled.features):
                yield manifest


def _scores(stores: Stores, manifest: Manifest, rows: Dataset) -> NDArray[np.float64]:
    columns = {str(name): rows.features[name].to_numpy() for name in rows.features}
    probabilities = model_of(stores, manifest).probabilities_of(columns)
    return np.asarray(logit(np.clip(probabilities, SMALLEST, 1 - SMALLEST)))
