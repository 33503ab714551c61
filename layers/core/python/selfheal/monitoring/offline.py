"""Two tables compared without any cloud: the same judgement as a monitoring run's, on files as they come."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.drift import Reference, judge_drift
from selfheal.errors import DataInvalid
from selfheal.files.features import Problem, advice, feature_values
from selfheal.files.table import Table
from selfheal.monitoring.answers import Answers
from selfheal.monitoring.conclusions import conclusions
from selfheal.monitoring.diagnosis import ACTIONS
from selfheal.monitoring.headline import verdict_of
from selfheal.monitoring.proxy_metrics import proxy_metrics
from selfheal.monitoring.quality import RANGE_FAULT, Inputs, faults, quality_findings
from selfheal.monitoring.response import Judgement
from selfheal.records.drift import DriftVerdict
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
from selfheal.tables.dataset import typed_features

FINDINGS: dict[str, FindingKind] = {
    "type": "wrong_type",
    "missing": "missing_share",
    "range": "out_of_range",
    "category": "unseen_categories",
    "other": "schema_changed",
}
TYPES = frozenset({"type", "other"})
# What leaves too little of a feature to compare.
UNREAD = frozenset({"wrong_type", "schema_changed"})
NO_ANSWERS = Answers.of(np.zeros(0, np.int8), np.zeros(0), np.zeros(0, np.uint64))
NO_DECAY = Decay(decayed=False, brier=None, promised_brier=None, p_value=None, level=0.0, n=0)
NO_HEALING = HealingState(started=False, execution=None, reason="files are only compared")


def compare(reference: Table, current: Table, contract: Contract, *, now: datetime) -> DriftSummary:
    """Judge `current` against `reference`, once, at the contract's false-alarm rate.

    Both hold at least some of the contract's features; whatever can't be read as its type is counted and missing, and a
    feature of which much can't be read on either side is excluded.

    Raises:
        DataInvalid: the reference lacks a feature.
    """
    missing = [name for name in contract.feature_names if name not in reference.columns]
    if missing:
        raise DataInvalid([f"column {name!r} is missing from the reference" for name in missing])
    before, of_reference = _typed(reference, contract)
    after, of_current = _typed(current, contract)
    misread = [*_findings(reference, of_reference), *_findings(current, of_current, TYPES)]
    unread = {finding.feature or "" for finding in faults(misread) if finding.kind in UNREAD}
    readable = _without(contract, unread)
    known, policy = Reference(before, readable), contract.policy.monitoring
    inputs = known.summary_of(after)
    findings = (*misread, *quality_findings(known, [Inputs(inputs, after)]))
    enough = len(after) >= policy.minimum_predictions and len(readable.features) > 0
    judgement = Judgement(
        findings=findings,
        drift=_excluding(judge_drift(known, inputs, policy, policy.false_alarm_rate), unread) if enough else None,
        decay=NO_DECAY,
        diagnosis=_diagnosis(findings),
        performance=None,
        estimated=None,
        predictions=len(after),
    )
    return _summary(judgement, contract, len(before), (reference.name, current.name), now)


def _without(contract: Contract, names: AbstractSet[str]) -> Contract:
    features = {name: feature for name, feature in contract.features.items() if name not in names}
    return contract.model_copy(update={"features": features})


def _excluding(drift: DriftVerdict, names: AbstractSet[str]) -> DriftVerdict:
    reasons = dict.fromkeys(sorted(names), "too many of its values can't be read")
    return drift.model_copy(update={"excluded": {**drift.excluded, **reasons}})


def _diagnosis(findings: tuple[Finding, ...]) -> Diagnosis:
    if broken := faults(findings):
        reason = "; ".join(fault.message for fault in broken)
        return Diagnosis(cause="pipeline_fault", reason=reason, action=ACTIONS["pipeline_fault"])
    return Diagnosis(cause="cannot_tell", reason="two files hold no labels", action=ACTIONS["cannot_tell"])


def _summary(
    judgement: Judgement, contract: Contract, reference_rows: int, names: tuple[str, str], now: datetime
) -> DriftSummary:
    verdict = verdict_of(judgement, lingering_fault=False)
    return DriftSummary(
        **conclusions(judgement, contract, verdict, files=True),
        timestamp=now,
        reference_metadata={"name": names[0], "rows": reference_rows},
        production_version=names[1],
        window_start=now,
        window_end=now,
        proxy=(proxy_metrics(0, NO_ANSWERS),),
        proxy_change=ProxyChange(positive_rate_per_hour=None, probability_mean_per_hour=None),
        coverage=Coverage(
            predictions=judgement.predictions,
            labelled=0,
            coverage=0.0,
            selection_p_value=None,
            selection_feature=None,
        ),
        alarm=AlarmState(),
        healing=NO_HEALING,
        usual_predictions=float(judgement.predictions),
        probation=None,
        timeline=(),
    )


def _typed(table: Table, contract: Contract) -> tuple[pd.DataFrame, dict[str, list[Problem]]]:
    """The contract's features of a table, and what is wrong with each."""
    columns: dict[str, NDArray[np.object_] | NDArray[np.float64]] = {}
    problems: dict[str, list[Problem]] = {}
    for name, feature in contract.features.items():
        cells = table.columns.get(name, pa.nulls(len(table), pa.string()))
        columns[name], found = feature_values(cells, feature, table.spec)
        gone = Problem(np.ones(len(table), dtype=bool), "other", "gone")
        problems[name] = found if name in table.columns else [gone]
    return typed_features(pd.DataFrame(columns), contract), problems


def _findings(
    table: Table, problems: Mapping[str, list[Problem]], kinds: AbstractSet[str] = frozenset(FINDINGS)
) -> Iterator[Finding]:
    """What is wrong with a table by the contract alone; of the current one the quality checks tell the rest."""
    for name, found in problems.items():
        for problem in found:
            if problem.kind in kinds:
                yield _finding(table, name, problem)


def _finding(table: Table, name: str, problem: Problem) -> Finding:
    share, place = problem.rows / max(len(table), 1), table.place(problem.first)
    if problem.kind == "other":
        message = f"column {name} is gone from {table.name}"
    else:
        hint = advice(table.text(name, problem.first), table.spec) if problem.kind == "type" else ""
        message = f"{name} is {problem.said} in {problem.rows} rows of {table.name}, first in {place}{hint}"
    return Finding(
        kind=FINDINGS[problem.kind],
        severity="fault" if share >= RANGE_FAULT else "warning",
        feature=name,
        message=message,
        value=share,
        expected=0.0,
        n=len(table),
    )
