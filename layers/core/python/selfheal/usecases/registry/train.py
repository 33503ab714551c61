"""Train a version: fit, export with proof, and write it with everything that says what it is. It is not promoted."""

import hashlib
import io
import platform
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version as version_of
from math import isnan

import joblib
import numpy as np
import orjson

from selfheal.contract import Contract
from selfheal.data.labels import TargetValues
from selfheal.data.moments import as_utc
from selfheal.data.parquet import fingerprint, to_parquet
from selfheal.data.typical import typical_rows
from selfheal.models.card import model_card
from selfheal.models.formats import WRITTEN
from selfheal.models.importance import importance_of
from selfheal.models.trainer import Begin, TrainedModel, Trainer, unwatched
from selfheal.models.trainers import BUILT_IN
from selfheal.records.artefacts import CARD, CURVES, ESTIMATOR, REFERENCE, TRAINING, TUNING
from selfheal.records.manifest import Artefact, DataWindow, Lineage, Manifest, Sampling
from selfheal.stores.registry import ModelRegistry
from selfheal.tables.dataset import Dataset
from selfheal.tables.tuning import TuningRows, tuning_to_parquet
from selfheal.tasks import task_for

REFERENCE_ROWS = 30_000
LIBRARIES = ("numpy", "scipy", "scikit-learn", "pandas")


def version_name(moment: datetime, dataset: Dataset) -> str:
    """A name that sorts by time and says what was trained on: the moment and the start of the rows' fingerprint."""
    return f"{moment:%Y%m%dT%H%M%SZ}-{fingerprint(dataset.in_time_order())[:8]}"


def train_version(
    models: ModelRegistry,
    dataset: Dataset,
    contract: Contract,
    *,
    version: str,
    now: datetime,
    lineage: Lineage,
    evaluation_from: datetime | None,
    evidence_from: datetime | None = None,
    label_values: TargetValues,
    takes_new_classes: bool = False,
    repeated_rows: int = 0,
    relabelled_rows: int = 0,
    sampling: Sampling | None = None,
    seed: int = 0,
    begin: Begin = unwatched,
    fit: Trainer = BUILT_IN,
) -> Manifest:
    """Train on all rows of the data set and write the version. Doing it again with the same rows changes nothing.

    `takes_new_classes`: a class that comes later joins at the next training. `repeated_rows` and `relabelled_rows` are
    what the manifest says of rows that came more than once, `sampling` of those that there are beside.

    Raises:
        TrainingImpossible: too few labels, one class only, or hardly any of a class.
        ExportInexact: the exported model doesn't equal the fitted one.
        ObjectExists: the version was begun with other rows.
        StoreUnavailable: the registry doesn't answer.
    """
    rows = dataset.in_time_order()
    takes_new_classes = takes_new_classes and contract.model.task == "multiclass"
    if label_values.classes:
        contract = contract.with_classes(label_values.classes)
    trained = fit(rows, contract, seed=seed, begin=begin)
    task, tuning = task_for(contract, rows.labels), _tuning(rows, trained)
    fitted_on = rows.take(slice(len(rows) - trained.rows, None))
    begin("exporting the model, and proving the export exact")
    served = WRITTEN.exported(trained.fitted, rows.features, contract, seed=seed)
    artefacts = {
        TRAINING: to_parquet(rows),
        REFERENCE: to_parquet(reference_of(fitted_on, seed)),
        WRITTEN.file: served,
        ESTIMATOR: _joblib(trained),
        TUNING: tuning_to_parquet(tuning),
        CURVES: orjson.dumps(trained.curves, option=orjson.OPT_INDENT_2),
    }
    manifest = Manifest(
        version=version,
        created_at=now,
        contract=contract,
        examples=typical_rows(fitted_on.features, contract),
        data=_window(
            rows, trained.rows, repeated_rows, relabelled_rows, sampling, is_binary=contract.model.task == "binary"
        ),
        evaluation_from=evaluation_from,
        evidence_from=evidence_from,
        lineage=lineage,
        seed=seed,
        candidates=trained.candidates,
        metrics=trained.metrics,
        threshold=None if isnan(trained.fitted.threshold) else trained.fitted.threshold,
        positive_value=label_values.positive,
        negative_value=label_values.negative,
        spread=task.spread,
        half_width=task.half_width_of(tuning.probabilities, tuning.rows.labels),
        takes_new_classes=takes_new_classes,
        importance=importance_of(WRITTEN.loaded(served), tuning.rows.features),
        libraries={"python": platform.python_version(), **{name: version_of(name) for name in LIBRARIES}},
        artefacts=described(artefacts),
    )
    card = {CARD: model_card(manifest, trained.curves)}
    whole = manifest.model_copy(update={"artefacts": manifest.artefacts | described(card)})
    return models.write(whole, artefacts | card)


def reference_of(rows: Dataset, seed: int) -> Dataset:
    """At most 30,000 of the rows, sampled by seed, in their order."""
    if len(rows) <= REFERENCE_ROWS:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), REFERENCE_ROWS, replace=False)
    return rows.take(np.sort(chosen))


def _tuning(rows: Dataset, trained: TrainedModel) -> TuningRows:
    tuning = len(trained.tuning_probabilities)
    return TuningRows(rows.take(slice(len(rows) - tuning, None)), trained.tuning_probabilities)


def _window(
    rows: Dataset, fitted: int, repeated: int, relabelled: int, sampling: Sampling | None, *, is_binary: bool
) -> DataWindow:
    return DataWindow(
        rows=len(rows),
        positives=int((rows.labels == 1).sum()) if is_binary else 0,
        oldest=as_utc(rows.timestamps[0]),
        newest=as_utc(rows.timestamps[-1]),
        fingerprint=fingerprint(rows),
        fitted=fitted,
        repeated=repeated,
        relabelled=relabelled,
        sampling=sampling,
    )


def _joblib(trained: TrainedModel) -> bytes:
    fitted, buffer = trained.fitted, io.BytesIO()
    calibration = {"slope": fitted.calibration.slope, "intercept": fitted.calibration.intercept}
    # Plain types around the pipelines, so that a person needs scikit-learn alone to open them.
    members = [{"pipeline": member.pipeline, "weight": member.weight} for member in fitted.members]
    joblib.dump({"members": members, "calibration": calibration, "threshold": fitted.threshold}, buffer)
    return buffer.getvalue()


def described(artefacts: Mapping[str, bytes]) -> dict[str, Artefact]:
    """Hash and size of each file of a version, as its manifest lists them."""
    return {name: Artefact(sha256=hashlib.sha256(body).hexdigest(), size=len(body)) for name, body in artefacts.items()}
