"""The verdict on a healing: whether the blend of its shadow model and those before it may replace production."""

from datetime import datetime

from selfheal.errors import HealingIncomplete
from selfheal.records.healing import Healing, Training, Verdict
from selfheal.records.manifest import Manifest
from selfheal.stores.collection import Stores
from selfheal.usecases.heal.blend_version import write_blend
from selfheal.usecases.heal.comparison import Comparison, compared
from selfheal.usecases.heal.evidence import keep_evidence
from selfheal.usecases.heal.members import trained_versions


def evaluate_gates(stores: Stores, healing: Healing, training: Training, now: datetime) -> Verdict:
    """All seven gates on every labelled row from the evaluation start to now; the evidence is kept.

    Judged is the blend of the version that was trained and the ones before it. If it passes it is written as a version.

    Raises:
        HealingIncomplete: no version was trained.
        EvaluationUnfair: a row to be judged on is not newer than what production was trained on.
        ArtefactRefused, ReferenceTampered, VersionUnknown, StoreUnavailable: a model can't be read as it was written.
    """
    if training.version is None or training.evaluation_from is None:
        raise HealingIncomplete(f"healing {healing.execution} has no shadow model to judge: {training.reason}")
    production = stores.models.manifest(healing.production_version)
    shadow = stores.models.manifest(training.version)
    before = [one for one in trained_versions(stores, production.contract) if _may_blend(one, shadow)]
    moved = stores.ledger.story().last_move
    found = compared(stores, production, [shadow, *before], training.evaluation_from, now, moved)
    if found.failed:
        return _verdict(stores, healing, production, found, shadow.version)
    blend = write_blend(stores, healing, training, found, now)
    return _verdict(stores, healing, production, found, blend.version)


def _may_blend(one: Manifest, shadow: Manifest) -> bool:
    """Whether it is another version, and answers for the same classes."""
    return one.version != shadow.version and one.contract.model.classes == shadow.contract.model.classes


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
