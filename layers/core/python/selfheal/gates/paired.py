"""Gate 7: the gain isn't luck."""

import numpy as np

from selfheal.contract.model import GatePolicy
from selfheal.gates.evidence import EvidenceRows
from selfheal.gates.resampling import blocks_of, draws_of, interval_of, paired_p_value
from selfheal.records.ledger import GateResult

GATE = "paired_evidence"


def paired_evidence(rows: EvidenceRows, policy: GatePolicy) -> GateResult:
    """Gate 7: sign-flip test of per-row gains in loss by block of time, one-sided; significance 0 turns it off."""
    blocks = blocks_of(len(rows))
    gains, weights = np.bincount(blocks, rows.gains), np.bincount(blocks, rows.weights)
    p_value = paired_p_value(rows.gains)
    is_off = policy.significance == 0
    verdict = "turned off by the contract" if is_off else f"needed: p at most {policy.significance:g}"
    return GateResult(
        gate=GATE,
        passed=is_off or p_value <= policy.significance,
        value=p_value,
        threshold=policy.significance,
        n=len(rows),
        interval=interval_of((draws_of(len(gains)) @ gains) / (draws_of(len(gains)) @ weights)),
        reason=f"mean {rows.task.loss} gain per row {gains.sum() / weights.sum():+.5f}, p = {p_value:.4f}; {verdict}",
    )
