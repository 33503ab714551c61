"""Gate 6: no group of people pays for the average."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract.model import GatePolicy, Segment
from selfheal.gates.evidence import EvidenceRows
from selfheal.gates.metrics import relative_f1_gain, tally
from selfheal.gates.resampling import blocks_of, draws_of, interval_of, sign_flip_p_value
from selfheal.records.ledger import GateResult

GATE = "segments"
# Code of a missing value, as pandas.factorize has it.
MISSING = -1


@dataclass(frozen=True, slots=True)
class SegmentFinding:
    """One group: its relative F1 drop with the drop's interval, and how surely its Brier loss is worse.

    p_value: one-sided sign-flip test of 'the shadow model's loss is higher here'.
    """

    name: str
    n: int
    f1_drop: float
    interval: tuple[float, float]
    p_value: float


def segment_gate(rows: EvidenceRows, segments: Sequence[Segment], policy: GatePolicy) -> GateResult:
    """Gate 6: fails where a segment's F1 drops beyond the limit *and* its paired loss is significantly worse (Holm).

    With the significance turned off, the drop alone decides. Segments of fewer than `minimum_segment_samples` rows, or
    without a positive, are named and not judged; where none can be judged, the gate fails for want of evidence.
    """
    if not segments:
        return _result(policy, passed=True, n=len(rows), reason="the contract names no segments")
    absent = [segment.feature for segment in segments if segment.feature not in rows.segments]
    if absent:
        return _result(policy, passed=False, n=len(rows), reason=f"the evidence lacks {', '.join(absent)}")
    # Two groups may have one name: a value that is called "missing", and rows that hold none.
    groups = list(_groups(rows.segments, segments))
    judged = [(name, is_in) for name, is_in in groups if _can_be_judged(rows.labels[is_in], policy)]
    too_small = [name for name, is_in in groups if not _can_be_judged(rows.labels[is_in], policy)]
    small = "".join(f"; too small to judge: {name}" for name in too_small)
    if not judged:
        return _result(policy, passed=False, n=len(rows), reason=f"no segment can be judged{small}")
    findings = [_finding(name, rows, is_in) for name, is_in in judged]
    harmed = _harmed(findings, policy)
    worst = max(findings, key=lambda finding: finding.f1_drop)
    said = f"harmed: {', '.join(harmed)}" if harmed else f"none of {len(findings)} harmed"
    return _result(
        policy,
        passed=not harmed,
        value=worst.f1_drop,
        n=sum(finding.n for finding in findings),
        interval=worst.interval,
        reason=f"{said}; largest F1 drop {worst.f1_drop:+.1%} in {worst.name} (p = {worst.p_value:.3f}){small}",
    )


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down adjustment (Scandinavian Journal of Statistics 6, 1979); shape (k,) in the order given."""
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _harmed(findings: Sequence[SegmentFinding], policy: GatePolicy) -> list[str]:
    adjusted = holm(np.array([finding.p_value for finding in findings]))
    return [
        finding.name
        for finding, p_value in zip(findings, adjusted, strict=True)
        if finding.f1_drop > policy.maximum_segment_f1_drop
        and (policy.significance == 0 or p_value <= policy.significance)
    ]


def _finding(name: str, rows: EvidenceRows, is_in: NDArray[np.bool_]) -> SegmentFinding:
    # Blocks are those of all rows, so that a segment's neighbours in time stay together.
    blocks = blocks_of(len(rows))
    weights = rows.weights * is_in
    production = tally(rows.labels, rows.production_prediction, weights, blocks)
    shadow = tally(rows.labels, rows.shadow_prediction, weights, blocks)
    draws = draws_of(len(production.actual))
    return SegmentFinding(
        name=name,
        n=int(is_in.sum()),
        f1_drop=-float(relative_f1_gain(production.total(), shadow.total())[0]),
        interval=interval_of(-relative_f1_gain(production.weighted(draws), shadow.weighted(draws))),
        p_value=sign_flip_p_value(np.bincount(blocks, -rows.gains * is_in)),
    )


def _groups(values: pd.DataFrame, segments: Sequence[Segment]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for segment in segments:
        codes, names = (
            _bins(values[segment.feature], segment.edges) if segment.edges else _kinds(values[segment.feature])
        )
        for code, name in [*enumerate(names), (MISSING, "missing")]:
            is_in = codes == code
            if is_in.any():
                yield f"{segment.feature} {name}", is_in


def _bins(column: pd.Series, edges: Sequence[float]) -> tuple[NDArray[np.intp], list[str]]:
    numbers = column.to_numpy(dtype=np.float64)
    names = [f"below {edges[0]:g}", *(f"{a:g} to {b:g}" for a, b in pairwise(edges)), f"from {edges[-1]:g}"]
    return np.where(np.isnan(numbers), MISSING, np.searchsorted(edges, numbers, side="right")), names


def _kinds(column: pd.Series) -> tuple[NDArray[np.intp], list[str]]:
    codes, kinds = pd.factorize(column, sort=True)
    return codes, [str(kind) for kind in kinds]


def _can_be_judged(labels: NDArray[np.int8], policy: GatePolicy) -> bool:
    return len(labels) >= policy.minimum_segment_samples and bool(labels.any())


def _result(
    policy: GatePolicy,
    *,
    passed: bool,
    n: int,
    reason: str,
    value: float | None = None,
    interval: tuple[float, float] | None = None,
) -> GateResult:
    return GateResult(
        gate=GATE,
        passed=passed,
        value=value,
        threshold=policy.maximum_segment_f1_drop,
        n=n,
        interval=interval,
        reason=reason,
    )
