"""The versions that may answer in a blend: the newest ones that were trained, promoted or not."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from selfheal.composition import Stores
from selfheal.contract import Contract
from selfheal.records.manifest import Manifest
from selfheal.usecases.scoring import UNREADABLE

# Rows of different age are answered by different versions, three each.
MOST_VERSIONS = 8
# A healing leaves three at the most: the one that was judged, the one that was trained on all rows, their blend.
MOST_READ = 3 * MOST_VERSIONS


def trained_versions(stores: Stores, contract: Contract) -> list[Manifest]:
    """The newest versions of a contract's features, newest first: of each healing the one that knows all rows.

    A version that can't be read is passed over. Raises StoreUnavailable.
    """
    readable = _readable(stores, list(stores.models.versions())[-MOST_READ:])
    trained = [
        manifest for manifest in readable if manifest.kind != "blend" and _same_features(manifest.contract, contract)
    ]
    whole = {manifest.lineage.execution for manifest in trained if manifest.kind == "trained"}
    members = [one for one in trained if one.kind == "trained" or one.lineage.execution not in whole]
    return sorted(members, key=lambda manifest: (manifest.created_at, manifest.version), reverse=True)[:MOST_VERSIONS]


def _readable(stores: Stores, versions: Iterable[str]) -> Iterator[Manifest]:
    for version in versions:
        with suppress(*UNREADABLE):
            yield stores.models.manifest(version)


def _same_features(one: Contract, other: Contract) -> bool:
    inputs = [[(name, feature.is_category) for name, feature in of.features.items()] for of in (one, other)]
    return inputs[0] == inputs[1]
