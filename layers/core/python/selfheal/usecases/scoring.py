"""Two versions' answers on the same labelled rows."""

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from selfheal.artefact import Artefact, load_artefact
from selfheal.composition import Stores
from selfheal.contract import Contract
from selfheal.data.dataset import Dataset
from selfheal.errors import ArtefactRefused, ObjectMissing, RecordIncompatible, ReferenceTampered, VersionUnknown
from selfheal.gates import EvidenceRows
from selfheal.records.manifest import Manifest
from selfheal.stores.registry import SERVING

# What is wrong with a version for good; a store that doesn't answer is another matter.
UNREADABLE = (ArtefactRefused, ObjectMissing, RecordIncompatible, ReferenceTampered, ValidationError, VersionUnknown)


def model_of(stores: Stores, manifest: Manifest) -> Artefact:
    """A version, ready to answer. Raises ArtefactRefused, ReferenceTampered, StoreUnavailable."""
    return load_artefact(stores.models.artefact(manifest, SERVING))


def scored_rows(
    labelled: Dataset,
    contract: Contract,
    *,
    production: Artefact,
    shadow: Artefact,
    weights: NDArray[np.float64] | None = None,
) -> EvidenceRows:
    """Both models' answers on the same labelled rows, in the order given; `weights` None: each row counts alike."""
    columns = {name: labelled.features[name].to_numpy() for name in contract.feature_names}
    before, after = production.probabilities_of(columns), shadow.probabilities_of(columns)
    segments = list(dict.fromkeys(segment.feature for segment in contract.segments))
    return EvidenceRows(
        row_ids=labelled.row_ids,
        timestamps=labelled.timestamps,
        labels=labelled.labels,
        production_probability=before,
        shadow_probability=after,
        production_prediction=_at_least(before, production.threshold),
        shadow_prediction=_at_least(after, shadow.threshold),
        weights=np.ones(len(labelled)) if weights is None else weights,
        segments=labelled.features[segments],
    )


def _at_least(probabilities: NDArray[np.float64], threshold: float) -> NDArray[np.int8]:
    return (probabilities >= threshold).astype(np.int8)
