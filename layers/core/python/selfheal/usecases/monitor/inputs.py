"""What a monitoring run judges by: the production version as it was frozen, and the predictions that suffice."""

from datetime import datetime, timedelta

from selfheal.data.moments import as_datetime64
from selfheal.data.parquet import from_parquet
from selfheal.drift import Reference
from selfheal.drift.stretches import Times
from selfheal.models.formats import model_of
from selfheal.monitoring.production import Production
from selfheal.monitoring.window import WindowSummary
from selfheal.prefixes import KEPT
from selfheal.records.artefacts import REFERENCE, TUNING
from selfheal.records.manifest import Manifest
from selfheal.stores.collection import Stores
from selfheal.tables.dataset import Dataset
from selfheal.tables.sample import id_hashes
from selfheal.tables.tuning import tuning_from_parquet


def read_production(stores: Stores) -> Production:
    """The production version, each artefact verified. Raises NoProductionModel, ReferenceTampered, StoreUnavailable."""
    pointer = stores.pointer.read().pointer
    manifest = stores.models.manifest(pointer.version)
    reference, frozen = read_reference(stores, manifest)
    return Production(
        pointer=pointer,
        manifest=manifest,
        model=model_of(manifest, stores.models.artefact),
        reference=reference,
        reference_rows=frozen,
        tuning=tuning_from_parquet(stores.models.artefact(manifest, TUNING), manifest.contract),
    )


def read_reference(stores: Stores, manifest: Manifest) -> tuple[Reference, Dataset]:
    """What a version's inputs are compared with, and its rows. Raises ReferenceTampered, StoreUnavailable."""
    frozen = from_parquet(stores.models.artefact(manifest, REFERENCE), manifest.contract)
    return Reference(frozen.features, manifest.contract, _times(frozen, manifest)), frozen


def _times(frozen: Dataset, manifest: Manifest) -> Times:
    """The reference is all that the model was fitted on, or a sample of it."""
    return Times(frozen.timestamps, (manifest.data.fitted or manifest.data.rows) / len(frozen))


def judgeable_inputs(
    stores: Stores, production: Production, window: WindowSummary, start: datetime, minimum: int
) -> WindowSummary:
    """The newest predictions that suffice to judge inputs by: the window, or `minimum` rows where it holds fewer.

    As far back as that takes, but not to rows that production was trained on, nor beyond 400 days.
    """
    taught = production.manifest.taught_until
    earliest, inputs, step = max(taught, start - KEPT), window, timedelta(days=1)
    while len(inputs) < minimum and start > earliest:
        since = max(start - step, earliest)
        for hour in stores.history.hours(since, start, production.contract, newest_first=True):
            rows = hour.newest(minimum - len(inputs), production.contract)
            newest = rows.take(rows.timestamps > as_datetime64(taught))
            inputs += WindowSummary.of(newest, id_hashes(newest.prediction_ids), production.reference)
            if len(inputs) >= minimum:
                break
        # Days without traffic are many where it is rare: each look back is as long as all before it.
        start, step = since, 2 * step
    return inputs
