"""`selfheal.load(version, stage)`: a version of a deployed environment for data frames."""

from selfheal.frames.model import LoadedModel
from selfheal.models.formats import model_of
from selfheal_tools.connection import connect

PRODUCTION = "production"


def load(version: str, stage: str) -> LoadedModel:
    """A version of a stage by its name, or the one that answers now, its artefacts verified.

    Raises:
        EnvironmentMissing: no such stage is to be found.
        NoProductionModel, VersionUnknown: there is no such version.
        ArtefactRefused, ReferenceTampered: it isn't a sound model, or not what was written.
        StoreUnavailable: the registry doesn't answer.
    """
    stores = connect(stage).stores
    name = stores.pointer.read().pointer.version if version == PRODUCTION else version
    manifest = stores.models.manifest(name)
    return LoadedModel(model_of(manifest, stores.models.artefact), manifest.contract.model.classes or ())
