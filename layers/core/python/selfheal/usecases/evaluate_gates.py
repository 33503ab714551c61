"""The verdict on a healing: its shadow model, or one refused before that has proved itself since."""

from datetime import datetime

from selfheal.composition import Stores
from selfheal.errors import ArtefactRefused, HealingIncomplete, ObjectMissing, ReferenceTampered, VersionUnknown
from selfheal.records.healing import Healing, Training, Verdict
from selfheal.records.manifest import Manifest
from selfheal.usecases.comparison import Comparison, compared
from selfheal.usecases.evidence import keep_evidence
from selfheal.usecases.second_look import refused_for_want_of_evidence, second_start


def evaluate_gates(stores: Stores, healing: Healing, training: Training, now: datetime) -> Verdict:
    """All seven gates on every labelled row from the evaluation start to now; the evidence is kept.

    Where they refuse the shadow model, the one that gate 7 alone refused before is judged again, on the rows since: it
    is promoted if it passes every gate on them.

    Raises:
        HealingIncomplete: no version was trained.
        EvaluationUnfair: a row to be judged on is not newer than what either model was trained on.
        ArtefactRefused, ReferenceTampered, VersionUnknown, StoreUnavailable: a model can't be read as it was written.
    """
    if training.version is None or training.evaluation_from is None:
        raise HealingIncomplete(f"healing {healing.execution} has no shadow model to judge: {training.reason}")
    production = stores.models.manifest(healing.production_version)
    shadow = compared(stores, production, training.version, training.evaluation_from, now)
    earlier = _judged_again(stores, production, now) if shadow.failed else None
    if earlier is None:
        return _verdict(stores, healing, production, shadow, shadow.reason)
    if earlier.failed:
        again = f"{earlier.version}, judged again on {len(earlier.rows)} rows: {earlier.reason}"
        return _verdict(stores, healing, production, shadow, f"{shadow.reason}; {again}")
    proved = f"refused before for want of evidence, it has proved itself on {len(earlier.rows)} rows since"
    newer = f"the newer {shadow.version}: {shadow.reason}"
    return _verdict(stores, healing, production, earlier, f"{proved}: {earlier.reason}; {newer}")


def _judged_again(stores: Stores, production: Manifest, now: datetime) -> Comparison | None:
    refused = refused_for_want_of_evidence(stores.ledger.decisions(), production.version)
    start = None if refused is None else second_start(stores.labels, refused, now)
    if refused is None or start is None:
        return None
    try:
        return compared(stores, production, refused.version, start, now)
    except (ArtefactRefused, ObjectMissing, ReferenceTampered, VersionUnknown):
        # What can't be read as it was written has no claim to a second look, and mustn't stop the healing.
        return None


def _verdict(stores: Stores, healing: Healing, production: Manifest, comparison: Comparison, reason: str) -> Verdict:
    approval = production.contract.policy.promotion.approval_hours
    return Verdict(
        version=comparison.version,
        kind="reject" if comparison.failed else "promote",
        reason=reason,
        gates=comparison.gates,
        evidence=keep_evidence(stores, healing.execution, comparison.rows, comparison.circumstances),
        approval_seconds=0 if comparison.failed else round(approval * 3600),
    )
