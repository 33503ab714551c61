"""Data quality: what a broken pipe does to inputs, each as a named finding with numbers.

Findings go into logs and mails: they name features and shares of rows, and hold no value of any row.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Feature
from selfheal.drift.feature import LARGEST, FeatureReference
from selfheal.drift.reference import Reference
from selfheal.drift.significance import missing_p_value
from selfheal.drift.stretches import Stretch
from selfheal.drift.summary import FeatureSummary, InputSummary
from selfheal.records.monitoring import Finding

# Changes smaller than these are left to drift detection.
SMALLEST_UNIT_FACTOR = 3.0
# The world stretches some values more than others, a unit all alike: the quantiles' factors may stray by this share, on
# a log scale. In 800 windows of hotel bookings 1 false fault remained of the 8 that comparing shapes by ranks gave.
LARGEST_UNIT_SPREAD = 0.1
# A double holds no factor beyond about e to this power.
LARGEST_STEP = 700.0
FROZEN_SHARE, USUAL_SHARE = 0.95, 0.5
MISSING_WARNING, MISSING_FAULT = 0.05, 0.2
UNSEEN_WARNING = 0.05
RANGE_FAULT = 0.01
DUPLICATE_WARNING, DUPLICATE_FAULT = 0.2, 0.8
SIGNIFICANCE = 1e-4
MINIMUM_ROWS = 50
QUANTILES = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True, eq=False)
class Inputs:
    """Some rows as quality looks at them: what is counted of all, and a sample, or all where these are few.

    sample: rows of the contract's features. lasts: from the oldest row to the newest; None where no times are known.
    unchanged: how long features have held their value, where they held it before these rows already.
    """

    summary: InputSummary
    sample: pd.DataFrame
    lasts: np.timedelta64 | None = None
    unchanged: Mapping[str, np.timedelta64] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Column:
    """One feature of a window beside its reference and its part of the contract."""

    reference: FeatureReference
    summary: FeatureSummary
    sample: pd.Series
    lasts: np.timedelta64 | None
    unchanged: np.timedelta64 | None

    @classmethod
    def of(cls, known: FeatureReference, window: Inputs) -> Self:
        """A feature of a window."""
        name = known.name
        summary, unchanged = window.summary.features[name], window.unchanged.get(name)
        return cls(known, summary, window.sample[name], window.lasts, unchanged)

    @property
    def name(self) -> str:
        return self.reference.name

    @property
    def feature(self) -> Feature:
        return self.reference.feature

    @property
    def n(self) -> int:
        return self.summary.present + self.summary.missing

    @property
    def stretch(self) -> Stretch:
        """How long the window is."""
        return Stretch(float(self.n), self.lasts)

    @property
    def held(self) -> Stretch:
        """How long its value has been held: the window, or since before it; the rows then were as many in a time."""
        if self.unchanged is None or not self.lasts:
            return self.stretch
        return Stretch(float(self.n * (self.unchanged / self.lasts)), self.unchanged)

    @cached_property
    def sampled(self) -> NDArray[np.float64]:
        """The present values of a numeric feature's sample."""
        return np.asarray(np.clip(self.sample.dropna().to_numpy(dtype=np.float64), -LARGEST, LARGEST))


def quality_findings(reference: Reference, windows: Iterable[Inputs]) -> tuple[Finding, ...]:
    """What is wrong with any of some windows of inputs (the whole one, its newest part); the strongest of each kind."""
    strongest: dict[tuple[str, str | None], Finding] = {}
    for window in windows:
        if len(window.summary) < MINIMUM_ROWS:
            continue
        for finding in _findings(reference, window):
            known = strongest.get((finding.kind, finding.feature))
            if known is None or (known.severity, -abs(known.value)) > (finding.severity, -abs(finding.value)):
                strongest[finding.kind, finding.feature] = finding
    return tuple(
        sorted(strongest.values(), key=lambda finding: (finding.severity, finding.kind, finding.feature or ""))
    )


def faults(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings that say that the pipeline is broken."""
    return tuple(finding for finding in findings if finding.severity == "fault")


def _findings(reference: Reference, window: Inputs) -> Iterator[Finding]:
    yield from _duplicated_rows(reference, window.summary)
    for known in reference.features:
        column = _Column.of(known, window)
        for check in CHECKS:
            yield from check(column)


def _missing_share(column: _Column) -> Iterator[Finding]:
    before, after = column.reference.sample, column.summary
    rise = after.missing_share - before.missing_share
    if rise < MISSING_WARNING:
        return
    if missing_p_value(after.missing, column.n, before.missing, before.present + before.missing) > SIGNIFICANCE:
        return
    grave = rise >= MISSING_FAULT or not column.feature.nullable
    # A feature that training lacked for as long, and as often, lacks nothing that the model hasn't met.
    usual = grave and column.reference.longest_missing(after.missing_share - MISSING_WARNING).covers(column.stretch)
    yield Finding(
        kind="missing_share",
        severity="fault" if grave and not usual else "warning",
        feature=column.name,
        message=f"{column.name} is missing in {after.missing_share:.0%} of rows, usually in {before.missing_share:.0%}",
        value=after.missing_share,
        expected=before.missing_share,
        n=column.n,
    )


def _out_of_range(column: _Column) -> Iterator[Finding]:
    outside = column.summary.outside
    if outside:
        share = outside / column.n
        yield Finding(
            kind="out_of_range",
            severity="fault" if share >= RANGE_FAULT else "warning",
            feature=column.name,
            message=f"{column.name} is outside its limits in {outside} rows ({share:.1%})",
            value=share,
            expected=0.0,
            n=column.n,
        )


def _wrong_type(column: _Column) -> Iterator[Finding]:
    broken = column.summary.fractional
    if broken:
        share = broken / column.n
        yield Finding(
            kind="wrong_type",
            severity="fault" if share >= RANGE_FAULT else "warning",
            feature=column.name,
            message=f"{column.name} is an integer but isn't whole in {broken} rows ({share:.1%})",
            value=share,
            expected=0.0,
            n=column.n,
        )


def _unseen_categories(column: _Column) -> Iterator[Finding]:
    if not column.feature.is_category:
        return
    share = column.summary.unseen / max(column.summary.present, 1)
    expected, closed = column.reference.unseen_share, column.summary.undeclared > 0
    if share - expected < UNSEEN_WARNING and not closed:
        return
    yield Finding(
        kind="unseen_categories",
        severity="fault" if closed and share >= RANGE_FAULT else "warning",
        feature=column.name,
        message=f"{column.name} holds values that training never saw in {share:.1%} of rows",
        value=share,
        expected=expected,
        n=column.n,
    )


def _unit_change(column: _Column) -> Iterator[Finding]:
    """A factor between the quantiles of the positive values that is the same at all of them."""
    if column.reference.numbers is None:
        return
    before, after = column.reference.numbers.ordered, column.sampled
    old, new = before[before > 0], after[after > 0]
    if min(len(old), len(new)) < MINIMUM_ROWS or len(np.unique(old)) < len(QUANTILES):
        return
    steps = np.log(np.quantile(new, QUANTILES)) - np.log(np.quantile(old, QUANTILES))
    step = float(np.median(steps))
    if abs(step) < math.log(SMALLEST_UNIT_FACTOR) or np.abs(steps - step).mean() > LARGEST_UNIT_SPREAD * abs(step):
        return
    factor = math.exp(np.clip(step, -LARGEST_STEP, LARGEST_STEP))
    yield Finding(
        kind="unit_change",
        severity="fault",
        feature=column.name,
        message=f"{column.name} is {_times(factor)} what it was, at every quantile: has its unit changed?",
        value=factor,
        expected=1.0,
        n=column.n,
    )


def _frozen_value(column: _Column) -> Iterator[Finding]:
    """One value where training has many: unless it held one for as long (the month of a year, in a window of a day)."""
    if not is_constant(column.reference, column.sample, column.summary.present):
        return
    held = column.reference.longest_constant(FROZEN_SHARE)
    if held.covers(column.held):
        return
    share, usual = share_of_commonest(column.sample), column.reference.largest_share
    yield Finding(
        kind="frozen_value",
        severity="fault",
        feature=column.name,
        message=f"{column.name} has the same value in {share:.0%} of rows; usually none exceeds {usual:.0%}"
        + (", and never for so long" if held.rows else ""),
        value=share,
        expected=usual,
        n=column.n,
    )


def is_constant(known: FeatureReference, sample: pd.Series, present: int) -> bool:
    """Whether one value fills some rows, of which so many hold one, where none fills half of the reference's."""
    if min(present, known.sample.present) < MINIMUM_ROWS:
        return False
    return share_of_commonest(sample) >= FROZEN_SHARE and known.largest_share < USUAL_SHARE


def share_of_commonest(sample: pd.Series) -> float:
    """Share of the most frequent value among the present ones."""
    counts = sample.value_counts()
    return float(counts.iloc[0] / counts.sum()) if len(counts) else 0.0


CHECKS: tuple[Callable[[_Column], Iterator[Finding]], ...] = (
    _missing_share,
    _out_of_range,
    _wrong_type,
    _unseen_categories,
    _unit_change,
    _frozen_value,
)


def _duplicated_rows(reference: Reference, window: InputSummary) -> Iterator[Finding]:
    repeats = window.repeats
    repeated = 1.0 - repeats.distinct / repeats.rows
    # What the reference would repeat in as many rows, if each pair is equal as often as there.
    expected = min(1.0, reference.collision_rate * (repeats.rows - 1) / 2)
    excess = repeated - expected
    if excess >= DUPLICATE_WARNING and repeats.collision_rate > reference.collision_rate:
        yield Finding(
            kind="duplicated_rows",
            severity="fault" if excess >= DUPLICATE_FAULT else "warning",
            feature=None,
            message=f"{repeated:.0%} of the rows repeat another one; the reference lets expect {expected:.0%}",
            value=repeated,
            expected=expected,
            n=len(window),
        )


def _times(factor: float) -> str:
    return f"{factor:.3g} times" if factor >= 1 else f"1/{1 / factor:.3g} of"
