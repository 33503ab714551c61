"""Drift and quality of tables that are in memory anyway."""

import pandas as pd

from selfheal.contract.model import MonitoringPolicy
from selfheal.drift import Reference, judge_drift
from selfheal.monitoring.quality import Inputs, quality_findings
from selfheal.records.drift import DriftVerdict
from selfheal.records.monitoring import Finding


def judged(reference: Reference, window: pd.DataFrame, policy: MonitoringPolicy, level: float) -> DriftVerdict:
    return judge_drift(reference, reference.summary_of(window), policy, level)


def findings_of(reference: Reference, *windows: pd.DataFrame) -> tuple[Finding, ...]:
    return quality_findings(reference, [Inputs(reference.summary_of(window), window) for window in windows])
