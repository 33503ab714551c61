"""Data: each feature against its reference, now and over time, faults marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from selfheal.records.drift import FeatureDrift
from selfheal.records.monitoring import DriftSummary, Finding
from selfheal_tools.console.runs import Run
from selfheal_tools.console.words import number, share

# More would make the page too large; the run's report has all.
SHOWN = 40


@dataclass(frozen=True, slots=True)
class FeatureCard:
    """One feature: as the last run found it, effect size and missing share over the runs, and what is wrong with it.

    missing: none where nothing ever is. faulty: moments of runs that had a finding about it, in seconds.
    """

    found: FeatureDrift
    effects: tuple[tuple[float, float], ...]
    missing: tuple[tuple[float, float], ...]
    faulty: tuple[float, ...]
    findings: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DataPage:
    """All of the page; span: first and last moment of the small curves, in seconds."""

    sentence: str
    window: tuple[datetime, datetime] | None
    findings: tuple[Finding, ...]
    cards: tuple[FeatureCard, ...]
    left_out: int
    excluded: tuple[tuple[str, str], ...]
    span: tuple[float, float]
    faulty_runs: tuple[Run, ...]


def data_page(summary: DriftSummary | None, runs: Sequence[Run]) -> DataPage:
    """The page of the last run and those before it, oldest first."""
    moments = [run.timestamp.timestamp() for run in runs] or [0.0]
    features = summary.features if summary else ()
    return DataPage(
        sentence=_sentence(summary),
        window=(summary.window_start, summary.window_end) if summary else None,
        findings=summary.findings if summary else (),
        cards=tuple(_card(found, runs) for found in features[:SHOWN]),
        left_out=max(len(features) - SHOWN, 0),
        excluded=tuple(summary.exclusion_reasons.items()) if summary else (),
        span=(moments[0], moments[-1]),
        faulty_runs=tuple(run for run in reversed(runs) if run.faults)[:10],
    )


def _sentence(summary: DriftSummary | None) -> str:
    if summary is None:
        return "No monitoring run has judged the inputs yet."
    if summary.detection is None:
        return "Inputs weren't compared: there are too few predictions to tell anything."
    changed = "Something has changed" if summary.detection.detected else "No change can be shown"
    return f"{changed}: {summary.num_drifted_features} of {summary.num_features_evaluated} features drifted."


def _card(found: FeatureDrift, runs: Sequence[Run]) -> FeatureCard:
    name = found.feature
    looks = [(run.timestamp.timestamp(), run.features[name]) for run in runs if name in run.features]
    missing = tuple((moment, look.missing) for moment, look in looks)
    faults = [run.faults[name] for run in runs[-1:] if name in run.faults]
    facts = [
        ("Effect size", f"{number(found.effect_size)}, {found.effect_threshold:g} matters"),
        ("p-value", f"{found.p_value:.2g}"),
    ]
    if found.missing_share or found.reference_missing_share:
        facts.append(("Missing", f"{share(found.missing_share)}, was {share(found.reference_missing_share)}"))
    return FeatureCard(
        found,
        effects=tuple((moment, look.effect) for moment, look in looks),
        missing=missing if found.reference_missing_share or any(gone for _, gone in missing) else (),
        faulty=tuple(run.timestamp.timestamp() for run in runs if name in run.faults),
        findings=tuple(faults),
        facts=tuple(facts),
    )
