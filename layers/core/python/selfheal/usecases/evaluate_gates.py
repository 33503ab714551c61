"""Score production and shadow on the same unseen rows, keep the evidence, judge."""

from collections.abc import Sequence
from datetime import datetime

from selfheal.composition import Stores
from selfheal.errors import EvaluationUnfair, HealingIncomplete
from selfheal.gates import judge
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
    window = labelled_window(stores.history, stores.labels, contract, training.evaluation_from, now)
    rows = scored_rows(
        window.labelled.in_time_order(),
        contract,
        production=model_of(stores, production),
        shadow=model_of(stores, shadow),
    )
    circumstances = _circumstances(stores, window, now)
    gates = judge(rows, circumstances, contract.policy.gates, contract.segments)
    evidence = keep_evidence(stores, healing.execution, rows, circumstances)
    failed = [gate for gate in gates if not gate.passed]
    return Verdict(
        kind="reject" if failed else "promote",
        reason=_reason(gates, failed),
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


def _reason(gates: Sequence[GateResult], failed: Sequence[GateResult]) -> str:
    if not failed:
        return f"all {len(gates)} gates passed: {gates[-1].reason}"
    return f"{len(failed)} of {len(gates)} gates failed: " + "; ".join(
        f"{gate.gate} ({gate.reason})" for gate in failed
    )
