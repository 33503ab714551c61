"""The rule by which a blend is promoted, on versions made beforehand: what its significance does, without the service.

The gates and the weights are the service's own. There is a trial each period, and nothing that monitoring or a cooldown
would add.
"""

from collections.abc import Sequence

import numpy as np

from selfheal.gates.blend import MemberAnswers, cross_fitted, weights_of
from selfheal.records.manifest import MOST_MEMBERS
from selfheal_tools.backtest.blind import Rejected, Rule
from selfheal_tools.backtest.judged import evidence_rows, failed_gates, said_by
from selfheal_tools.backtest.stream import Span
from selfheal_tools.backtest.versions import Blend, Trial, Version, Versions


def blends(versions: Versions, significance: float | None) -> Rule:
    """A blend of the newest versions each period, where it passes the gates; whatever they say at significance None."""
    gates = versions.contract.policy.gates.model_copy(update={"significance": significance or 0.0})
    trained = [versions.first()]

    def rule(span: Span, current: Version | Blend) -> Blend | Rejected | str:
        trial = versions.trial(span.number)
        if isinstance(trial, str):
            return trial
        asked = (trial.shadow, *trained[: -MOST_MEMBERS - 1 : -1])
        trained.append(trial.shadow)
        answers = _answers(versions, trial, asked)
        labels, alike = versions.stream.traffic.labels[trial.new], np.ones(len(trial.new))
        weights = weights_of(answers, labels, alike)[:MOST_MEMBERS]
        blend = versions.blend(f"blend-{significance}-{span.number}", asked[:MOST_MEMBERS], weights)
        if significance is None:
            return blend
        production = said_by(versions, current, trial.new)
        rows = evidence_rows(versions, trial.new, production, cross_fitted(answers, labels, alike), answers)
        failed = failed_gates(versions, rows, trial, span, gates)
        return Rejected(blend, failed) if failed else blend

    return rule


def _answers(versions: Versions, trial: Trial, asked: Sequence[Version]) -> MemberAnswers:
    """What the newest version says of the rows kept back from it, and the earlier ones of all new rows."""
    said = np.column_stack([versions.probabilities(version, trial.new) for version in asked])
    said[~np.isin(trial.new, trial.kept_back), 0] = np.nan
    return MemberAnswers(
        versions=tuple(version.name for version in asked),
        probabilities=said,
        thresholds=np.array([version.threshold for version in asked]),
    )
