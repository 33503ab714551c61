"""Gate 6: no group of people pays for the average."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract.model import GatePolicy, Segment
from selfheal.gates.evidence import EvidenceRows
from selfheal.gates.resampling import blocks_of, draws_of, interval_of, sign_flip_p_value
from selfheal.records.ledger import GateResult
from selfheal.tasks import Task
from selfheal.tasks.port import Labels
from selfheal.text import listed

GATE = "segments"
# Code of a missing value, as pandas.factorize has it.
MISSING = -1
# Groups that a verdict names; which rows they are is in the evidence.
NAMED_GROUPS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Rows of one bin or value of a feature; a value is what a caller wrote."""

    feature: str
    value: str
    is_bin: bool
    is_in: NDArray[np.bool_]

    @property
    def name(self) -> str:
        """Feature and value."""
        return f"{self.feature} {self.value}"


@dataclass(frozen=True, slots=True, eq=False)
class SegmentFinding:
    """One group: the relative drop of the task's metric with the drop's interval, and how surely the loss is worse.

    p_value: one-sided sign-flip test of 'the shadow model's loss is higher here'; Holm's adjustment is in it.
    """

    group: Group
    n: int
    of_kind: str
    drop: float
    interval: tuple[float, float]
    p_value: float


def segment_gate(rows: EvidenceRows, segments: Sequence[Segment], policy: GatePolicy) -> GateResult:
    """Gate 6: fails where a segment's metric drops beyond the limit *and* its loss is significantly worse (Holm).

    With the significance turned off, the drop alone decides. Segments of fewer than `minimum_segment_samples` rows, or
    whose labels tell nothing, are named and not judged; where none can be judged, the gate fails for want of evidence.
    """
    if not segments:
        return _result(policy, passed=True, n=len(rows), reason="the contract names no segments")
    absent = [segment.feature for segment in segments if segment.feature not in rows.segments]
    if absent:
        return _result(policy, passed=False, n=len(rows), reason=f"the evidence lacks {', '.join(absent)}")
    groups = list(_groups(rows.segments, segments))
    judged = [group for group in groups if _can_be_judged(rows.labels[group.is_in], policy, rows.task)]
    unjudged = [group for group in groups if not _can_be_judged(rows.labels[group.is_in], policy, rows.task)]
    small = f"; too small to judge: {_told(unjudged)}" if unjudged else ""
    if not judged:
        return _result(policy, passed=False, n=len(rows), reason=f"no segment can be judged{small}")
    findings = _adjusted([_finding(group, rows) for group in judged])
    harmed = [finding.group for finding in findings if _is_harmed(finding, policy)]
    worst = max(findings, key=lambda finding: finding.drop)
    said = f"harmed: {_told(harmed)}" if harmed else f"none of {len(findings)} harmed"
    meant = harmed or [worst.group] * (worst.drop > policy.maximum_segment_f1_drop)
    return _result(
        policy,
        passed=not harmed,
        value=worst.drop,
        n=sum(finding.n for finding in findings),
        interval=worst.interval,
        reason=f"{said}; {_about_worst(worst, policy, rows.task)}{small}",
        groups=listed([group.name for group in meant], NAMED_GROUPS),
    )


def _about_worst(worst: SegmentFinding, policy: GatePolicy, task: Task) -> str:
    """The largest drop, and why it is or isn't a harm."""
    metric = task.segment_metric.title
    if worst.drop <= 0:
        return f"{metric} drops in none"
    said = f"largest {metric} drop {worst.drop:.1%} in {_told([worst.group])}"
    if worst.drop <= policy.maximum_segment_f1_drop:
        return f"{said}, of {policy.maximum_segment_f1_drop:.1%} allowed"
    if _is_harmed(worst, policy):
        return f"{said} (p = {worst.p_value:.3f})"
    return (
        f"{said}, which may be chance: over its {worst.n} rows{worst.of_kind}, "
        f"the {task.loss} loss isn't significantly worse (p = {worst.p_value:.3f}, {policy.significance:g} or less is)"
    )


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Holm's step-down adjustment (Scandinavian Journal of Statistics 6, 1979); shape (k,) in the order given."""
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _adjusted(findings: Sequence[SegmentFinding]) -> list[SegmentFinding]:
    p_values = holm(np.array([finding.p_value for finding in findings]))
    return [replace(finding, p_value=float(p)) for finding, p in zip(findings, p_values, strict=True)]


def _is_harmed(finding: SegmentFinding, policy: GatePolicy) -> bool:
    is_worse = policy.significance == 0 or finding.p_value <= policy.significance
    return finding.drop > policy.maximum_segment_f1_drop and is_worse


def _finding(group: Group, rows: EvidenceRows) -> SegmentFinding:
    # Blocks are those of all rows, so that a segment's neighbours in time stay together.
    blocks = blocks_of(len(rows))
    metric, inside = rows.task.segment_metric, rows.weighted(rows.weights * group.is_in)
    before, after = inside.sums(metric, blocks)
    draws, counted = draws_of(len(before)), rows.task.counted(rows.labels[group.is_in])
    drop = -metric.gain(before.sum(axis=0, keepdims=True), after.sum(axis=0, keepdims=True))
    return SegmentFinding(
        group=group,
        n=int(group.is_in.sum()),
        of_kind="" if counted is None else f", {counted.number} of them {counted.kind}",
        drop=float(drop[0]),
        interval=interval_of(-metric.gain(draws @ before, draws @ after)),
        p_value=sign_flip_p_value(np.bincount(blocks, -rows.gains * group.is_in)),
    )


def _groups(values: pd.DataFrame, segments: Sequence[Segment]) -> Iterator[Group]:
    for segment in segments:
        feature, column = segment.feature, values[segment.feature]
        codes, names = _bins(column, segment.edges) if segment.edges else _kinds(column)
        found = [Group(feature, name, bool(segment.edges), codes == code) for code, name in enumerate(names)]
        missing = Group(feature, "missing", is_bin=True, is_in=codes == MISSING)
        yield from (group for group in (*found, missing) if group.is_in.any())


def _told(groups: Sequence[Group]) -> str:
    """Bins by their names, values by their number: what callers wrote isn't repeated."""
    bins = [group.name for group in groups if group.is_bin]
    values = Counter(group.feature for group in groups if not group.is_bin)
    return ", ".join((*bins, *(f"{n} value{'s' * (n > 1)} of {feature}" for feature, n in values.items())))


def _bins(column: pd.Series, edges: Sequence[float]) -> tuple[NDArray[np.intp], list[str]]:
    numbers = column.to_numpy(dtype=np.float64)
    names = [f"below {edges[0]:g}", *(f"{a:g} to {b:g}" for a, b in pairwise(edges)), f"from {edges[-1]:g}"]
    return np.where(np.isnan(numbers), MISSING, np.searchsorted(edges, numbers, side="right")), names


def _kinds(column: pd.Series) -> tuple[NDArray[np.intp], list[str]]:
    codes, kinds = pd.factorize(column, sort=True)
    return codes, [str(kind) for kind in kinds]


def _can_be_judged(labels: Labels, policy: GatePolicy, task: Task) -> bool:
    return len(labels) >= policy.minimum_segment_samples and task.are_telling(labels)


def _result(
    policy: GatePolicy,
    *,
    passed: bool,
    n: int,
    reason: str,
    value: float | None = None,
    interval: tuple[float, float] | None = None,
    groups: tuple[str, ...] = (),
) -> GateResult:
    return GateResult(
        gate=GATE,
        passed=passed,
        value=value,
        threshold=policy.maximum_segment_f1_drop,
        n=n,
        interval=interval,
        reason=reason,
        groups=groups,
    )
