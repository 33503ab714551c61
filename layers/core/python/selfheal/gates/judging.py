"""All seven gates in order. A promotion needs every one of them; each is reported whatever the others say."""

from collections.abc import Sequence

from selfheal.contract.model import GatePolicy, Segment
from selfheal.gates.evidence import EvidenceRows
from selfheal.gates.paired import paired_evidence
from selfheal.gates.preconditions import cooldown, label_coverage, sufficient_samples
from selfheal.gates.quality import brier_limit, metric_gain
from selfheal.gates.segments import segment_gate
from selfheal.records.ledger import Circumstances, GateResult

GATES = (
    "sufficient_samples",
    "label_coverage",
    "cooldown",
    "metric_gain",
    "brier_limit",
    "segments",
    "paired_evidence",
)


def judge_gates(
    rows: EvidenceRows, circumstances: Circumstances, policy: GatePolicy, segments: Sequence[Segment]
) -> tuple[GateResult, ...]:
    """The seven results, in the order of `GATES`; the same arguments give the same results."""
    preconditions = (
        sufficient_samples(rows, policy),
        label_coverage(rows, circumstances, policy),
        cooldown(circumstances, policy),
    )
    if not rows.is_usable:
        return preconditions + tuple(_without_evidence(gate, len(rows)) for gate in GATES[3:])
    return (
        *preconditions,
        metric_gain(rows, policy),
        brier_limit(rows, policy),
        segment_gate(rows, segments, policy),
        paired_evidence(rows, policy),
    )


def _without_evidence(gate: str, n: int) -> GateResult:
    reason = "a model gave no probability for some rows" if n else "there are no evaluation rows"
    return GateResult(gate=gate, passed=False, value=None, threshold=None, n=n, reason=reason)
