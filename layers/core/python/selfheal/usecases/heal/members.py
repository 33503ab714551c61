"""The versions that may answer in a blend: the newest ones that were trained, promoted or not."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from selfheal.contract import Contract
from selfheal.records.manifest import Manifest
from selfheal.stores.collection import Stores
from selfheal.usecases.heal.scoring import UNREADABLE

# Rows of different age are answered by different versions, three each.
MOST_VERSIONS = 8
# A healing leaves two at the most: the one that was trained, and a blend.
MOST_READ = 2 * MOST_VERSIONS


def trained_versions(stores: Stores, contract: Contract) -> list[Manifest]:
    """The newest versions that were trained on a contract's features, newest first.

    A version that can't be read is passed over. Raises StoreUnavailable.
    """
    readable = _readable(stores, list(stores.models.versions())[-MOST_READ:])
    members = [one for one in readable if one.kind == "trained" and _same_features(one.contract, contract)]
    return sorted(members, key=lambda one: (one.created_at, one.version), reverse=True)[:MOST_VERSIONS]


def _readable(stores: Stores, versions: Iterable[str]) -> Iterator[Manifest]:
    for version in versions:
        with suppress(*UNREADABLE):
            yield stores.models.manifest(version)


def _same_features(one: Contract, other: Contract) -> bool:
    inputs = [[(name, feature.is_category) for name, feature in of.features.items()] for of in (one, other)]
    return inputs[0] == inputs[1]
