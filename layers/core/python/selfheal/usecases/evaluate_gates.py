"""The verdict on a healing: its shadow model, or one refused before that has proved itself since."""

from collections.abc import Sequence
from datetime import datetime

from selfheal.composition import Stores
from selfheal.errors import EvaluationUnfair, HealingIncomplete
from selfheal.records.healing import Healing, Training, Verdict
from selfheal.records.ledger import Judged, LedgerEntry
from selfheal.records.manifest import Manifest
from selfheal.usecases.comparison import Comparison, compared
from selfheal.usecases.evidence import keep_evidence
from selfheal.usecases.heal import last_move
from selfheal.usecases.scoring import UNREADABLE
from selfheal.usecases.second_look import refused_for_want_of_evidence, second_start

# A version like that is passed over; where a store doesn't answer, the evaluation is tried again as a whole.
UNJUDGEABLE = (*UNREADABLE, EvaluationUnfair)


def evaluate_gates(stores: Stores, healing: Healing, training: Training, now: datetime) -> Verdict:
    """All seven gates on every labelled row from the evaluation start to now; the evidence is kept.

    Where they refuse the shadow model, the one that gate 7 alone refused before is judged again, on the rows since: it
    is promoted if it passes every gate on them. Of a model that passes, the modest version is promoted if there is one
    and it passes them too.

    Raises:
        HealingIncomplete: no version was trained.
        EvaluationUnfair: a row to be judged on is not newer than what either model was trained on.
        ArtefactRefused, ReferenceTampered, VersionUnknown, StoreUnavailable: a model can't be read as it was written.
    """
    if training.version is None or training.evaluation_from is None:
        raise HealingIncomplete(f"healing {healing.execution} has no shadow model to judge: {training.reason}")
    production = stores.models.manifest(healing.production_version)
    entries = list(stores.ledger.entries())
    shadow = compared(stores, production, training.version, training.evaluation_from, now, last_move(entries))
    if not shadow.failed:
        return _verdict(stores, healing, production, *_most_modest(stores, production, shadow, now, entries))
    earlier = _second_look(stores, production, entries, now)
    if not isinstance(earlier, Comparison):
        return _verdict(stores, healing, production, shadow, shadow.reason + earlier)
    again = f"on {len(earlier.rows)} rows since"
    if earlier.failed:
        said = f"{shadow.reason}; {earlier.version}, judged again {again}: {earlier.reason}"
        return _verdict(stores, healing, production, shadow, said, earlier)
    passed, reason = _most_modest(stores, production, earlier, now, entries)
    said = f"{earlier.version}, refused before for want of evidence, has proved itself {again}: {reason}"
    return _verdict(stores, healing, production, passed, f"{said}; the newer {shadow.version}: {shadow.reason}", shadow)


def _most_modest(
    stores: Stores, production: Manifest, passed: Comparison, now: datetime, entries: Sequence[LedgerEntry]
) -> tuple[Comparison, str]:
    """Of a model that has passed the modest version, if there is one and it passes on the same rows; and why."""
    modest = stores.models.manifest(passed.version).modest
    if modest is None:
        return passed, passed.reason
    try:
        judged = compared(stores, production, modest, passed.start, now, last_move(entries))
    except UNJUDGEABLE as error:
        return passed, f"{passed.reason}; its modest version couldn't be judged ({type(error).__name__})"
    if judged.failed:
        return passed, f"{passed.reason}; its modest version doesn't pass: {judged.reason}"
    return judged, f"{judged.reason}; as it was fitted it passes too, but the versions before it were too sure"


def _second_look(
    stores: Stores, production: Manifest, entries: Sequence[LedgerEntry], now: datetime
) -> Comparison | str:
    """At the version that gate 7 alone refused; or what to add to the verdict where there is none to look at."""
    decisions = [entry.decision for entry in entries if entry.decision]
    refused = refused_for_want_of_evidence(decisions, production.version)
    if refused is None:
        return ""
    least = production.contract.policy.gates.minimum_samples
    try:
        start = second_start(stores.labels, decisions, (refused, production.version), now, least)
        judged = compared(stores, production, refused, start, now, last_move(entries)) if start else None
    except UNJUDGEABLE as error:
        # The verdict on the shadow model stands, whatever became of the one before it.
        return f"; {refused} couldn't be judged again ({type(error).__name__})"
    # Labels of predictions that weren't logged, or that a broken pipeline made, judge nobody: too few rows are no look.
    return judged if judged is not None and len(judged.rows) >= least else ""


def _verdict(
    stores: Stores,
    healing: Healing,
    production: Manifest,
    judged: Comparison,
    said: str,
    other: Comparison | None = None,
) -> Verdict:
    approval = production.contract.policy.promotion.approval_hours
    return Verdict(
        version=judged.version,
        kind="reject" if judged.failed else "promote",
        reason=said,
        gates=judged.gates,
        evidence=keep_evidence(stores, healing.execution, judged.rows, judged.circumstances),
        approval_seconds=0 if judged.failed else round(approval * 3600),
        also_judged=None if other is None else _judged(stores, healing, other),
    )


def _judged(stores: Stores, healing: Healing, other: Comparison) -> Judged:
    evidence = keep_evidence(stores, healing.execution, other.rows, other.circumstances)
    return Judged(version=other.version, gates=other.gates, evidence=evidence)
