"""Gates over versions made beforehand: what a plain retraining pipeline would let in."""

import numpy as np

from infra.backtest.blind import Rejected, Rule
from infra.backtest.stream import Span
from infra.backtest.versions import Trial, Version, Versions
from selfheal.contract import Contract
from selfheal.contract.model import GatePolicy
from selfheal.gates import EvidenceRows, judge
from selfheal.records.ledger import Circumstances

# By how much F1 or Brier score has to be better where nothing tells a gain from luck.
SEED_GAIN = 0.02


def seed_gates(versions: Versions) -> Rule:
    """Every period, six gates on point estimates, on the rows that were kept back for them."""
    contract = versions.contract
    policy = contract.policy.gates.model_copy(update={"significance": 0.0, "minimum_gain": SEED_GAIN})

    def rule(span: Span, current: Version) -> Version | Rejected | str:
        trial = versions.trial(span.number)
        if isinstance(trial, str):
            return trial
        failed = failed_gates(evidence_rows(versions, trial, current, contract), span, trial, contract, policy)
        return Rejected(trial.shadow, failed) if failed else trial.shadow

    return rule


def evidence_rows(versions: Versions, trial: Trial, current: Version, contract: Contract) -> EvidenceRows:
    """What production and the new version say of the rows that were kept back."""
    labelled = versions.stream.traffic.take(trial.kept_back)
    before, after = (versions.probabilities(version, trial.kept_back) for version in (current, trial.shadow))
    thresholds = [version.model.fitted.threshold for version in (current, trial.shadow)]
    return EvidenceRows(
        row_ids=labelled.row_ids,
        timestamps=labelled.timestamps,
        labels=labelled.labels,
        production_probability=before,
        shadow_probability=after,
        production_prediction=(before >= thresholds[0]).astype(np.int8),
        shadow_prediction=(after >= thresholds[1]).astype(np.int8),
        weights=np.ones(len(labelled)),
        segments=labelled.features[list(dict.fromkeys(segment.feature for segment in contract.segments))],
    )


def failed_gates(
    rows: EvidenceRows, span: Span, trial: Trial, contract: Contract, policy: GatePolicy
) -> tuple[str, ...]:
    """The gates that refuse; that trials are a period apart is cooldown enough."""
    circumstances = Circumstances(judged_at=span.ends, last_move=None, predictions=len(rows), coverage=trial.coverage)
    return tuple(gate.gate for gate in judge(rows, circumstances, policy, contract.segments) if not gate.passed)
