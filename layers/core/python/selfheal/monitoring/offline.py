"""Two tables compared without any cloud: the same judgement as a monitoring run's, on files as they come."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.data.dataset import typed_features
from selfheal.data.files import BOOLEANS, MISSING_NUMBERS
from selfheal.drift import Reference, judge_drift
from selfheal.errors import DataInvalid
from selfheal.monitoring.diagnosis import ACTIONS
from selfheal.monitoring.headline import headline_of, verdict_of
from selfheal.monitoring.proxy_metrics import proxy_metrics
from selfheal.monitoring.quality import RANGE_FAULT, faults, quality_findings
from selfheal.monitoring.response import Judgement
from selfheal.records.monitoring import (
    AlarmState,
    Coverage,
    Decay,
    Diagnosis,
    DriftSummary,
    Finding,
    FindingKind,
    HealingState,
    ProxyChange,
)

NO_DECAY = Decay(decayed=False, brier=None, promised_brier=None, p_value=None, level=0.0, n=0)
NO_HEALING = HealingState(started=False, execution=None, reason="files are only compared")


def compare(
    reference: pd.DataFrame, current: pd.DataFrame, contract: Contract, *, names: tuple[str, str], now: datetime
) -> DriftSummary:
    """Judge `current` against `reference`, once, at the contract's false-alarm rate.

    Both hold at least some of the contract's features, as text or typed; whatever can't be read as its type is counted
    and missing. `names` are what the two tables are called.

    Raises:
        DataInvalid: the reference lacks a feature.
    """
    before, _ = _typed(reference, contract)
    missing = [name for name in contract.feature_names if name not in reference]
    if missing:
        raise DataInvalid([f"column {name!r} is missing from the reference" for name in missing])
    after, misread = _typed(current, contract)
    known, policy = Reference(before, contract), contract.policy.monitoring
    findings = (*misread, *quality_findings(known, contract, [after]))
    enough = len(after) >= policy.minimum_predictions
    judgement = Judgement(
        findings=findings,
        drift=judge_drift(known, after, policy, policy.false_alarm_rate) if enough else None,
        decay=NO_DECAY,
        diagnosis=_diagnosis(findings),
        performance=None,
        estimated=None,
        predictions=len(after),
    )
    return _summary(judgement, contract, len(before), names, now)


def _diagnosis(findings: tuple[Finding, ...]) -> Diagnosis:
    if broken := faults(findings):
        reason = "; ".join(fault.message for fault in broken)
        return Diagnosis(cause="pipeline_fault", reason=reason, action=ACTIONS["pipeline_fault"])
    return Diagnosis(cause="cannot_tell", reason="two files hold no labels", action=ACTIONS["cannot_tell"])


def _summary(
    judgement: Judgement, contract: Contract, reference_rows: int, names: tuple[str, str], now: datetime
) -> DriftSummary:
    drift = judgement.drift
    verdict = verdict_of(judgement, lingering_fault=False)
    empty = np.zeros(0)
    return DriftSummary(
        timestamp=now,
        reference_metadata={"name": names[0], "rows": reference_rows},
        dataset_drift_detected=drift.drift_detected if drift else None,
        drift_share=drift.drift_share if drift else None,
        num_drifted_features=len(drift.drifted) if drift else 0,
        num_features_total=len(contract.features),
        num_features_evaluated=len(drift.features) if drift else 0,
        num_features_excluded=len(drift.excluded) if drift else 0,
        excluded_features=tuple(drift.excluded) if drift else (),
        features=drift.features if drift else (),
        verdict=verdict,
        sentence=headline_of(verdict, judgement, contract.policy.monitoring, files=True),
        action=judgement.diagnosis.action,
        production_version=names[1],
        window_start=now,
        window_end=now,
        detection=drift.detection if drift else None,
        exclusion_reasons=drift.excluded if drift else {},
        findings=judgement.findings,
        proxy=(proxy_metrics(0, empty, empty.astype(np.int8)),),
        proxy_change=ProxyChange(positive_rate_per_hour=None, probability_mean_per_hour=None),
        performance=None,
        estimated_performance=None,
        coverage=Coverage(
            predictions=judgement.predictions,
            labelled=0,
            coverage=0.0,
            selection_p_value=None,
            selection_feature=None,
        ),
        decay=judgement.decay,
        diagnosis=judgement.diagnosis,
        alarm=AlarmState(),
        healing=NO_HEALING,
        usual_predictions=float(judgement.predictions),
        probation=None,
        timeline=(),
    )


def _typed(frame: pd.DataFrame, contract: Contract) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """The contract's features of a table, and what of it couldn't be read."""
    columns: dict[str, pd.Series | NDArray[np.float64]] = {}
    findings: list[Finding] = []
    for name, feature in contract.features.items():
        if name not in frame:
            columns[name] = pd.Series([None] * len(frame), dtype=object)
            findings.append(_finding("schema_changed", name, f"column {name} is gone", len(frame), len(frame)))
        elif feature.is_category:
            columns[name] = frame[name].reset_index(drop=True)
        else:
            values = _numbers(frame[name], is_boolean=feature.type == "boolean")
            columns[name] = values
            findings.extend(_misread(frame[name], values, name))
    return typed_features(pd.DataFrame(columns), contract), tuple(findings)


def _numbers(column: pd.Series, *, is_boolean: bool) -> NDArray[np.float64]:
    if is_boolean:
        column = column.map(lambda value: BOOLEANS.get(str(value).strip().lower(), np.nan))
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _misread(column: pd.Series, values: NDArray[np.float64], name: str) -> Iterator[Finding]:
    blank = column.isna() | column.astype(str).str.strip().isin(MISSING_NUMBERS)
    broken = int((np.isnan(values) & ~blank.to_numpy()).sum())
    if broken:
        yield _finding("wrong_type", name, f"{name} can't be read as its type in {broken} rows", broken, len(column))


def _finding(kind: FindingKind, name: str, message: str, rows: int, n: int) -> Finding:
    share = rows / max(n, 1)
    severity: Literal["fault", "warning"] = "fault" if share >= RANGE_FAULT else "warning"
    return Finding(kind=kind, severity=severity, feature=name, message=message, value=share, expected=0.0, n=n)
