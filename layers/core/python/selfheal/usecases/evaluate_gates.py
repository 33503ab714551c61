"""Score production and shadow on the same unseen rows, keep the evidence, judge."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from selfheal.composition import Stores
from selfheal.contract import Contract
from selfheal.data.dataset import Dataset
from selfheal.errors import EvaluationUnfair, HealingIncomplete
from selfheal.gates import judge
from selfheal.gates.propensity import inverse_propensity
from selfheal.performance.selection import selection_bias
from selfheal.records.healing import Healing, Training, Verdict
from selfheal.records.ledger import Circumstances, GateResult
from selfheal.records.manifest import Manifest
from selfheal.usecases.await_labels import coverage_of
from selfheal.usecases.evidence import keep_evidence
from selfheal.usecases.heal import last_move
from selfheal.usecases.labelled_rows import LabelledWindow, labelled_window
from selfheal.usecases.scoring import model_of, scored_rows


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
    window = labelled_window(stores, contract, training.evaluation_from, now)
    selected_by = _selected_by(window, contract)
    rows = scored_rows(
        window.labelled,
        contract,
        production=model_of(stores, production),
        shadow=model_of(stores, shadow),
        weights=None if selected_by is None else _weights(window, contract),
    )
    circumstances = _circumstances(stores, window, now)
    gates = judge(rows, circumstances, contract.policy.gates, contract.segments)
    evidence = keep_evidence(stores, healing.execution, rows, circumstances)
    failed = [gate for gate in gates if not gate.passed]
    return Verdict(
        kind="reject" if failed else "promote",
        reason=_reason(gates, failed, selected_by),
        gates=gates,
        evidence=evidence,
        approval_seconds=0 if failed else round(contract.policy.promotion.approval_hours * 3600),
    )


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


def _selected_by(window: LabelledWindow, contract: Contract) -> str | None:
    """The feature by which labelled rows differ most from unlabelled ones of the same time; None: they are alike."""
    predictions = window.predictions
    _, feature = selection_bias(
        predictions.timestamps, predictions.features, window.is_labelled, contract, contract.policy.monitoring
    )
    return feature


def _weights(window: LabelledWindow, contract: Contract) -> NDArray[np.float64]:
    predictions = window.predictions
    is_labelled = window.is_labelled.astype(np.int8)
    rows = Dataset(predictions.prediction_ids, predictions.timestamps, predictions.features, is_labelled)
    return inverse_propensity(rows, contract)


def _reason(gates: Sequence[GateResult], failed: Sequence[GateResult], selected_by: str | None) -> str:
    weighted = f" (rows weighted, as labels depend on {selected_by})" if selected_by else ""
    if not failed:
        return f"all {len(gates)} gates passed{weighted}: {gates[-1].reason}"
    named = "; ".join(f"{gate.gate} ({gate.reason})" for gate in failed)
    return f"{len(failed)} of {len(gates)} gates failed{weighted}: {named}"
