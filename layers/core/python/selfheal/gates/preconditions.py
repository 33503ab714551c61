"""Gates 1 to 3: is there enough evidence, does it stand for the traffic, and has the last move had time to settle?"""

from datetime import timedelta

import numpy as np

from selfheal.contract.model import GatePolicy
from selfheal.gates.blend import served
from selfheal.gates.evidence import EvidenceRows
from selfheal.records.ledger import Circumstances, GateResult
from selfheal.tasks.port import support_of

DAY = timedelta(days=1)


def sufficient_samples(rows: EvidenceRows, policy: GatePolicy) -> GateResult:
    """Gate 1: at least `minimum_samples` rows, with as much variety as the task needs."""
    counted = rows.task.counted(rows.labels)
    passed = len(rows) >= policy.minimum_samples and support_of(rows.task, rows.labels) > 0
    said = "" if counted is None else f", {counted.number} {counted.kind}"
    return GateResult(
        gate="sufficient_samples",
        passed=passed,
        value=len(rows),
        threshold=policy.minimum_samples,
        n=len(rows),
        reason=f"{len(rows)} labelled rows{said}; needed: {policy.minimum_samples} {rows.task.needs}",
    )


def label_coverage(rows: EvidenceRows, circumstances: Circumstances, policy: GatePolicy) -> GateResult:
    """Gate 2: labels have come for at least `minimum_coverage` of the predictions, and speak of what is asked today.

    They don't where the two models differ `maximum_reach` times as much on the newest requests as on the labelled rows.
    """
    coverage, reach = circumstances.coverage, _reach(rows, circumstances)
    found = "unknown: no prediction is old enough" if coverage is None else f"{coverage:.1%}"
    is_within = reach is None or reach <= policy.maximum_reach
    return GateResult(
        gate="label_coverage",
        passed=coverage is not None and coverage >= policy.minimum_coverage and is_within,
        value=coverage,
        threshold=policy.minimum_coverage,
        n=circumstances.predictions,
        reason=f"labelled share of predictions {found}; needed: {policy.minimum_coverage:.1%}"
        + ("" if reach is None or is_within else _beyond(reach, circumstances, policy)),
    )


def _beyond(reach: float, circumstances: Circumstances, policy: GatePolicy) -> str:
    return (
        f"; on the newest {circumstances.newest_requests} requests the models differ at least {reach:.1f} times as "
        f"much as on the labelled rows (allowed: {policy.maximum_reach:g} times): wait for labels of today's requests"
    )


def _reach(rows: EvidenceRows, circumstances: Circumstances) -> float | None:
    """How many times as much the models differ on the newest requests; None where it isn't known.

    Of a blend, on the rows that it answers as it would when served: on those that its newcomer has seen it is another.
    """
    if circumstances.newest_disagreement is None or not rows.is_usable:
        return None
    said = rows.shadow_probability if rows.members is None else served(rows.members, rows.labels, rows.weights)
    distances = rows.task.distances(rows.production_probability, said)
    known = np.isfinite(distances)
    judged = float(np.average(distances[known], weights=rows.weights[known])) if known.any() else 0.0
    if not judged:
        return float("inf") if circumstances.newest_disagreement else 0.0
    return circumstances.newest_disagreement / judged


def cooldown(circumstances: Circumstances, policy: GatePolicy) -> GateResult:
    """Gate 3: `cooldown_days` have passed since the last promotion or rollback."""
    move = circumstances.last_move
    days = None if move is None else (circumstances.judged_at - move) / DAY
    since = "no promotion or rollback came before" if days is None else f"{days:.2f} days since the last one"
    return GateResult(
        gate="cooldown",
        # As the end of the cooldown is reckoned elsewhere: days as a float differ in their last bit.
        passed=move is None or circumstances.judged_at >= move + timedelta(days=policy.cooldown_days),
        value=days,
        threshold=policy.cooldown_days,
        n=0 if days is None else 1,
        reason=f"{since}; needed: {policy.cooldown_days:g} days",
    )
