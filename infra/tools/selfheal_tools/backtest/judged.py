"""Gates over versions made beforehand: what a plain retraining pipeline would let in."""

from selfheal.contract.model import GatePolicy
from selfheal.gates import EvidenceRows, judge_gates
from selfheal.gates.blend import Blended, MemberAnswers
from selfheal.records.ledger import Circumstances
from selfheal.usecases.heal import scoring
from selfheal_tools.backtest.blind import Rejected, Rule
from selfheal_tools.backtest.stream import Span
from selfheal_tools.backtest.versions import Blend, Positions, Trial, Version, Versions

# By how much one of the task's metrics has to be better where nothing tells a gain from luck.
SEED_GAIN = 0.02


def seed_gates(versions: Versions) -> Rule:
    """Every period, six gates on point estimates, on the rows that were kept back for them."""
    gates = versions.contract.policy.gates.model_copy(update={"significance": 0.0, "minimum_gain": SEED_GAIN})

    def rule(span: Span, current: Version | Blend) -> Version | Rejected | str:
        trial = versions.trial(span.number)
        if isinstance(trial, str):
            return trial
        before, after = (said_by(versions, version, trial.kept_back) for version in (current, trial.shadow))
        rows = evidence_rows(versions, trial.kept_back, before, after)
        failed = failed_gates(versions, rows, trial, span, gates)
        return Rejected(trial.shadow, failed) if failed else trial.shadow

    return rule


def said_by(versions: Versions, version: Version | Blend, rows: Positions) -> Blended:
    """A version's answers at its operating point."""
    probabilities = versions.probabilities(version, rows)
    return Blended(probabilities, versions.task.predictions(probabilities, version.threshold))


def evidence_rows(
    versions: Versions, rows: Positions, production: Blended, shadow: Blended, members: MemberAnswers | None = None
) -> EvidenceRows:
    """Two versions' answers to rows of the traffic, shape (n,) each, as the gates take them."""
    labelled = versions.stream.traffic.take(rows)
    return scoring.evidence_rows(labelled, versions.contract, production, shadow, members=members, task=versions.task)


def failed_gates(
    versions: Versions, rows: EvidenceRows, trial: Trial, span: Span, policy: GatePolicy
) -> tuple[str, ...]:
    """The gates that refuse. That trials are a period apart is cooldown enough."""
    circumstances = Circumstances(judged_at=span.ends, last_move=None, predictions=len(rows), coverage=trial.coverage)
    results = judge_gates(rows, circumstances, policy, versions.contract.segments)
    return tuple(gate.gate for gate in results if not gate.passed)
