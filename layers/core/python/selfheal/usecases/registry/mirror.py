"""Keep an MLflow server in step with the registry: nothing in the system depends on it, so it may be away."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from selfheal.records.manifest import Manifest
from selfheal.stores.collection import Stores

if TYPE_CHECKING:
    # Imports MLflow, an optional extra.
    from selfheal.stores.tracking import Tracking

# Rows of people stay in the registry.
LEFT_OUT = (".parquet",)


def mirror(stores: Stores, tracking: "Tracking") -> list[str]:
    """Log every version that isn't mirrored yet, and put `champion` on production; returns what was logged.

    Raises:
        NoProductionModel: there is nothing to mirror.
        StoreUnavailable: the registry or the MLflow server doesn't answer; the next call makes up for it.
        ReferenceTampered: an artefact isn't what was written.
    """
    production = stores.pointer.read().pointer.version
    model = stores.models.manifest(production).contract.model.name
    mirrored = tracking.versions(model)
    missing = [version for version in stores.models.versions() if version not in mirrored]
    for version in missing:
        manifest = stores.models.manifest(version)
        tracking.log(manifest, _artefacts(stores, manifest))
    tracking.crown(model, production)
    return missing


def _artefacts(stores: Stores, manifest: Manifest) -> Mapping[str, bytes]:
    names = [name for name in manifest.artefacts if not name.endswith(LEFT_OUT)]
    return {name: stores.models.artefact(manifest, name) for name in names} | {"manifest.json": manifest.to_json()}
