"""The verdict on a healing: whether the blend of its shadow model and those before it may replace production."""

from datetime import datetime

from selfheal.composition import Stores
from selfheal.errors import HealingIncomplete
from selfheal.records.healing import Healing, Training, Verdict
from selfheal.records.manifest import Manifest
from selfheal.usecases.blend_version import write_blend
from selfheal.usecases.comparison import Comparison, compared
from selfheal.usecases.evidence import keep_evidence
from selfheal.usecases.heal import last_move
from selfheal.usecases.members import trained_versions


def evaluate_gates(stores: Stores, healing: Healing, training: Training, now: datetime) -> Verdict:
    """All seven gates on every labelled row from the evaluation start to now; the evidence is kept.

    Judged is the blend of the version that was held out from these rows and the ones trained before. If it passes, a
    version is written that blends their answers, the one that was trained on all rows in the place of the first.

    Raises:
        HealingIncomplete: no version was trained.
        EvaluationUnfair: a row to be judged on is not newer than what production was trained on.
        ArtefactRefused, ReferenceTampered, VersionUnknown, StoreUnavailable: a model can't be read as it was written.
    """
    if training.version is None or training.held_out is None or training.evaluation_from is None:
        raise HealingIncomplete(f"healing {healing.execution} has no shadow model to judge: {training.reason}")
    production = stores.models.manifest(healing.production_version)
    held_out = stores.models.manifest(training.held_out)
    before = [
        manifest
        for manifest in trained_versions(stores, production.contract)
        if manifest.version not in {training.version, training.held_out}
    ]
    found = compared(
        stores,
        production,
        [held_out, *before],
        training.evaluation_from,
        now,
        last_move(list(stores.ledger.entries())),
    )
    if found.failed:
        return _verdict(stores, healing, production, found, training.version)
    blend = write_blend(stores, healing, training, found, now)
    return _verdict(stores, healing, production, found, blend.version)


def _verdict(stores: Stores, healing: Healing, production: Manifest, found: Comparison, version: str) -> Verdict:
    approval = production.contract.policy.promotion.approval_hours
    return Verdict(
        version=version,
        kind="reject" if found.failed else "promote",
        reason=found.reason,
        gates=found.gates,
        evidence=keep_evidence(stores, healing.execution, found.rows, found.circumstances),
        approval_seconds=0 if found.failed else round(approval * 3600),
    )
