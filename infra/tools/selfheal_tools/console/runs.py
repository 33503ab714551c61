"""A monitoring run in the few figures that curves over time are drawn from."""

from dataclasses import dataclass
from datetime import datetime

from selfheal.prefixes import RUNS
from selfheal.records.monitoring import DriftSummary, Estimate

NOTHING = Estimate(value=None, low=None, high=None)


@dataclass(frozen=True, slots=True)
class FeatureLook:
    """How one run found one feature."""

    effect: float
    missing: float
    drifted: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `name` is its day and time, by which its report is found; faults: findings by feature, or '' of none."""

    name: str
    timestamp: datetime
    version: str
    verdict: str
    sentence: str
    alarmed: bool
    metrics: dict[str, Estimate]
    predictions: int
    positive_rate: float | None
    coverage: float
    features: dict[str, FeatureLook]
    faults: dict[str, str]


def run_of(key: str, summary: DriftSummary) -> Run:
    """The run of a summary that lies under a key of the monitoring store."""
    newest = summary.proxy[-1] if summary.proxy else None
    return Run(
        name=key.removeprefix(RUNS).rpartition("/")[0],
        timestamp=summary.timestamp,
        version=summary.production_version,
        verdict=summary.verdict,
        sentence=summary.sentence,
        alarmed=summary.alarm.since is not None,
        metrics=summary.performance.metrics if summary.performance else {},
        predictions=newest.num_predictions if newest else 0,
        positive_rate=newest.positive_rate if newest else None,
        coverage=summary.coverage.coverage,
        features={
            feature.feature: FeatureLook(feature.effect_size, feature.missing_share, feature.drift_detected)
            for feature in summary.features
        },
        faults={finding.feature or "": finding.message for finding in summary.findings},
    )
