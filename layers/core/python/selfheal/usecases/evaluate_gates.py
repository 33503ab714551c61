"""Score production and shadow on the same unseen rows, keep the evidence, judge."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.artefact import Artefact, load_artefact
from selfheal.composition import Stores
from selfheal.contract import Contract
from selfheal.dataset import Dataset
from selfheal.errors import EvaluationUnfair, HealingIncomplete
from selfheal.gates import EvidenceRows, judge
from selfheal.gates.evidence import evidence_to_parquet
from selfheal.records.healing import Healing, Training, Verdict
from selfheal.records.ledger import Circumstances, Evidence, GateResult
from selfheal.records.manifest import Manifest
from selfheal.stores.registry import SERVING
from selfheal.usecases.await_labels import coverage_of
from selfheal.usecases.heal import last_move
from selfheal.usecases.labelled_rows import LabelledWindow, labelled_window


def evaluate_gates(stores: Stores, healing: Healing, training: Training, now: datetime) -> Verdict:
    """All seven gates on every labelled row from the evaluation start to now.

    Raises:
        HealingIncomplete: no version was trained.
        EvaluationUnfair: a row to be judged on is not newer than what either model was trained on.
        ArtefactRefused, ReferenceTampered, VersionUnknown, StoreUnavailable: a model can't be read as it was written.
    """
    if training.version is None or training.evaluation_from is None:
        raise HealingIncomplete(f"healing {healing.execution} has no shadow model to judge: {training.reason}")
    production = stores.models.manifest(healing.production_version)
    shadow = stores.models.manifest(training.version)
    _check_unseen(training.evaluation_from, (production, shadow))
    contract = production.contract
    window = labelled_window(stores.history, stores.labels, contract, training.evaluation_from, now)
    rows = scored_rows(window.labelled, contract, production=_model(stores, production), shadow=_model(stores, shadow))
    circumstances = _circumstances(stores, window, now)
    gates = judge(rows, circumstances, contract.policy.gates, contract.segments)
    evidence = _keep(stores, healing, rows, circumstances)
    failed = [gate for gate in gates if not gate.passed]
    return Verdict(
        kind="reject" if failed else "promote", reason=_reason(gates, failed), gates=gates, evidence=evidence
    )


def scored_rows(labelled: Dataset, contract: Contract, *, production: Artefact, shadow: Artefact) -> EvidenceRows:
    """Both models' answers on the same labelled rows, oldest first."""
    ordered = labelled.in_time_order()
    columns = {name: ordered.features[name].to_numpy() for name in contract.feature_names}
    before, after = production.probabilities_of(columns), shadow.probabilities_of(columns)
    return EvidenceRows(
        row_ids=ordered.row_ids,
        timestamps=ordered.timestamps,
        labels=ordered.labels,
        production_probability=before,
        shadow_probability=after,
        production_prediction=_at_least(before, production.threshold),
        shadow_prediction=_at_least(after, shadow.threshold),
        weights=np.ones(len(ordered)),
        segments=_segment_columns(ordered.features, contract),
    )


def _at_least(probabilities: NDArray[np.float64], threshold: float) -> NDArray[np.int8]:
    return (probabilities >= threshold).astype(np.int8)


def _segment_columns(features: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    return features[list(dict.fromkeys(segment.feature for segment in contract.segments))]


def _model(stores: Stores, manifest: Manifest) -> Artefact:
    return load_artefact(stores.models.artefact(manifest, SERVING))


def _check_unseen(start: datetime, manifests: Sequence[Manifest]) -> None:
    for manifest in manifests:
        if manifest.data.newest >= start:
            raise EvaluationUnfair(
                f"rows from {start} on are to judge version {manifest.version}, which was trained on rows up to "
                f"{manifest.data.newest}: start a new healing"
            )


def _circumstances(stores: Stores, window: LabelledWindow, now: datetime) -> Circumstances:
    return Circumstances(
        judged_at=now,
        last_move=last_move(list(stores.ledger.entries())),
        predictions=len(window.predictions),
        coverage=coverage_of(window, now),
    )


def _keep(stores: Stores, healing: Healing, rows: EvidenceRows, circumstances: Circumstances) -> Evidence:
    body = evidence_to_parquet(rows)
    # A retried evaluation may see more labels: its evidence gets a name of its own.
    digest = hashlib.sha256(body).hexdigest()
    key, sha256 = stores.evidence.write(f"{healing.execution}-{digest[:12]}", body)
    return Evidence(
        key=key,
        sha256=sha256,
        rows=len(rows),
        oldest=_moment(rows.timestamps[0]) if len(rows) else None,
        newest=_moment(rows.timestamps[-1]) if len(rows) else None,
        circumstances=circumstances,
    )


def _moment(timestamp: np.datetime64) -> datetime:
    moment: datetime = timestamp.astype("datetime64[us]").astype(datetime)
    return moment.replace(tzinfo=UTC)


def _reason(gates: Sequence[GateResult], failed: Sequence[GateResult]) -> str:
    if not failed:
        return f"all {len(gates)} gates passed: {gates[-1].reason}"
    return f"{len(failed)} of {len(gates)} gates failed: " + "; ".join(
        f"{gate.gate} ({gate.reason})" for gate in failed
    )
