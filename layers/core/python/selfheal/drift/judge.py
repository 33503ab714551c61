"""The judgement on one window: has anything changed (detection), and does it matter (relevance)?"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from selfheal.contract.model import MonitoringPolicy
from selfheal.drift.distances import jensen_shannon, kolmogorov_smirnov, population_stability
from selfheal.drift.distances import rank_wasserstein as rank_distance
from selfheal.drift.feature import FeatureReference
from selfheal.drift.null import Null
from selfheal.drift.reference import MINIMUM_PRESENT, Reference
from selfheal.drift.significance import benjamini_hochberg, chi_squared_p_value, ks_p_value, missing_p_value
from selfheal.drift.sketch import sketch_of
from selfheal.drift.summary import FeatureSummary, InputSummary
from selfheal.records.drift import Detection, DriftVerdict, FeatureDrift


@dataclass(frozen=True, eq=False)
class _Comparison:
    """One feature of the window beside its reference. `inflation`: how many rows count as one."""

    reference: FeatureReference
    window: FeatureSummary
    inflation: float

    @property
    def size(self) -> float:
        """Of the present values, m n / (m + n); n is counted without repetitions."""
        return _harmonic(self.reference.sample.present, self.window.present / self.inflation)

    @property
    def is_tested(self) -> bool:
        """Whether there are values enough on both sides to compare distributions."""
        return min(self.reference.sample.present, self.window.present) >= MINIMUM_PRESENT

    @cached_property
    def tests(self) -> dict[str, float]:
        """p-value by name of test."""
        found: dict[str, float] = {}
        if self.is_tested:
            found["ks" if self.reference.is_numeric else "chi_squared"] = self._distribution_p_value()
        if self.window.missing or self.reference.sample.missing:
            found["missing_share"] = self._missing_p_value()
        return found

    @property
    def effect(self) -> float:
        """Distance on the reference's own scale; what an unchanged world shows is still in it."""
        if not self.is_tested:
            return 0.0
        distance = rank_distance if self.reference.is_numeric else jensen_shannon
        return float(distance(self.window.shares, self.reference.sample.shares))

    @property
    def score(self) -> float:
        """The distance that is usually reported: normed Wasserstein, or Jensen-Shannon."""
        return self.effect if self.reference.numbers is None else self.reference.numbers.distance(self.window)

    def _distribution_p_value(self) -> float:
        window, reference = self.window.shares, self.reference.sample.shares
        if self.reference.is_numeric:
            return float(ks_p_value(window, reference, self.size))
        present = self.window.present / self.inflation
        weight = present / (present + self.reference.sample.present)
        return float(chi_squared_p_value(window, reference, self.size, weight))

    def _missing_p_value(self) -> float:
        rows = self.window.present + self.window.missing
        before = self.reference.sample
        missing, size = round(self.window.missing / self.inflation), round(rows / self.inflation)
        return missing_p_value(missing, size, before.missing, before.present + before.missing)


def judge_drift(reference: Reference, window: InputSummary, policy: MonitoringPolicy, level: float) -> DriftVerdict:
    """Judge a window of n rows, summarised beside the reference, against it.

    `level` is the chance that this one look may find a change in an unchanged world (see `looks`). A feature drifts
    when it is significant by Benjamini-Hochberg at the policy's `false_alarm_rate` and its effect reaches
    `effect_threshold`; the dataset drifts when detection holds and a feature drifts.
    """
    inflation = window.repeats.design_effect(reference.collision_rate)
    compared = [_Comparison(f, window.features[f.name], inflation) for f in reference.features]
    excluded = {c.reference.name: "no values to compare, then or now" for c in compared if not c.tests}
    judged = [c for c in compared if c.tests]
    size = _harmonic(reference.rows, len(window) / inflation)
    null = reference.null(size)
    p_values = np.array([_combined(c.tests) for c in judged])
    detection = _detection(null, p_values, level, len(window), reference.rows, len(window) / inflation)
    bar = benjamini_hochberg(p_values, policy.false_alarm_rate)
    expected = dict(zip((f.name for f in reference.features), null.effects_at(size), strict=True))
    features = [
        _feature_drift(c, float(p), bar, expected[c.reference.name], null.critical(level), policy.effect_threshold)
        for c, p in zip(judged, p_values, strict=True)
    ]
    return _verdict(detection, features, excluded, policy.drift_share)


def _verdict(
    detection: Detection, features: Iterable[FeatureDrift], excluded: dict[str, str], drift_share: float
) -> DriftVerdict:
    ranked = tuple(sorted(features, key=lambda feature: (-feature.effect_size, feature.p_value)))
    share = sum(feature.drift_detected for feature in ranked) / max(len(ranked), 1)
    drift = detection.detected and share > 0
    return DriftVerdict(
        drift_detected=drift,
        widespread=drift and share >= drift_share,
        drift_share=share,
        detection=detection,
        features=ranked,
        excluded=excluded,
    )


def _detection(null: Null, p_values: np.ndarray, level: float, n: int, m: int, effective: float) -> Detection:
    minimum = float(p_values.min(initial=1.0))
    p_value = null.p_value(minimum)
    return Detection(
        detected=p_value <= level,
        p_value=p_value,
        minimum_p_value=minimum,
        level=level,
        n=n,
        reference_rows=m,
        effective_size=effective,
    )


def _feature_drift(  # one line a field
    comparison: _Comparison, p_value: float, bar: float, expected: float, critical: float, effect_threshold: float
) -> FeatureDrift:
    window, reference = comparison.window, comparison.reference
    before, tests = reference.sample, comparison.tests
    missing_change = abs(window.missing_share - before.missing_share)
    effect = max(comparison.effect - expected, missing_change, 0.0)
    return FeatureDrift(
        feature=reference.name,
        drift_detected=p_value <= bar and effect >= effect_threshold,
        stat_test=min(tests, key=lambda name: tests[name]),
        p_value=p_value,
        threshold=bar,
        drift_score=comparison.score,
        effect_size=effect,
        effect_threshold=effect_threshold,
        ks=float(kolmogorov_smirnov(window.shares, before.shares)) if reference.is_numeric else None,
        chi_squared_p_value=tests.get("chi_squared"),
        jensen_shannon=float(jensen_shannon(window.shares, before.shares)),
        psi=population_stability(window.shares, before.shares),
        missing_share=window.missing_share,
        reference_missing_share=before.missing_share,
        smallest_detectable_shift=reference.smallest_shift(critical, comparison.size),
        n=window.present + window.missing,
        sketch=sketch_of(reference, window),
    )


def _combined(tests: dict[str, float]) -> float:
    """One p-value a feature: the smaller of its tests, Bonferroni-corrected where there are two."""
    return min(1.0, len(tests) * min(tests.values()))


def _harmonic(first: float, second: float) -> float:
    return first * second / max(first + second, 1.0)
