"""The versions that may answer in a blend: the newest ones that were trained, promoted or not."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from selfheal.composition import Stores
from selfheal.contract import Contract
from selfheal.records.manifest import Manifest
from selfheal.usecases.scoring import UNREADABLE

# Rows of different age are answered by different versions, three each.
MOST_VERSIONS = 8


def trained_versions(stores: Stores, contract: Contract) -> list[Manifest]:
    """The newest versions of a contract's features, newest first: of each healing the one that knows all rows.

    A version that can't be read is passed over. Raises StoreUnavailable.
    """
    return list(islice(_trained(stores, contract), MOST_VERSIONS))


def _trained(stores: Stores, contract: Contract) -> Iterator[Manifest]:
    waiting: list[Manifest] = []
    for version in reversed(list(stores.models.versions())):
        with suppress(*UNREADABLE):
            manifest = stores.models.manifest(version)
            if manifest.kind == "blend" or not _same_features(manifest.contract, contract):
                continue
            if waiting and not _of_one_healing(manifest, waiting[0]):
                yield _chosen(waiting)
                waiting = []
            waiting.append(manifest)
    if waiting:
        yield _chosen(waiting)


def _of_one_healing(one: Manifest, other: Manifest) -> bool:
    return one.lineage.execution is not None and one.lineage.execution == other.lineage.execution


def _chosen(of_one_healing: list[Manifest]) -> Manifest:
    """The one that was trained on all rows; where there is none, the one that was trained to be judged."""
    return next((manifest for manifest in of_one_healing if manifest.kind == "trained"), of_one_healing[0])


def _same_features(one: Contract, other: Contract) -> bool:
    inputs = [[(name, feature.is_category) for name, feature in of.features.items()] for of in (one, other)]
    return inputs[0] == inputs[1]
