"""What a summary says of a judgement, be it of a monitoring run or of two files."""

from typing import Any

from selfheal.contract import Contract
from selfheal.monitoring.headline import headline_of
from selfheal.monitoring.response import Judgement
from selfheal.records.monitoring import MonitoringVerdict


def conclusions(
    judgement: Judgement, contract: Contract, verdict: MonitoringVerdict, *, files: bool = False
) -> dict[str, Any]:
    """The fields of a `DriftSummary` that follow from the judgement alone.

    files: two files were compared, so that the rows are no predictions of some hours.
    """
    drift = judgement.drift
    excluded = drift.excluded if drift else {}
    features = drift.features if drift else ()
    return {
        "dataset_drift_detected": drift.drift_detected if drift else None,
        "drift_share": drift.drift_share if drift else None,
        "num_drifted_features": len(drift.drifted) if drift else 0,
        "num_features_total": len(contract.features),
        "num_features_evaluated": len(features),
        "num_features_excluded": len(excluded),
        "excluded_features": tuple(excluded),
        "features": features,
        "verdict": verdict,
        "sentence": headline_of(verdict, judgement, contract.policy.monitoring, files=files),
        "action": judgement.diagnosis.action,
        "detection": drift.detection if drift else None,
        "exclusion_reasons": excluded,
        "findings": judgement.findings,
        "performance": judgement.performance,
        "estimated_performance": judgement.estimated,
        "decay": judgement.decay,
        "diagnosis": judgement.diagnosis,
    }
