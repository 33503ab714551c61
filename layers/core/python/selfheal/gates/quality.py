"""Gates 4 and 5: the shadow model is better by enough, and its answers aren't worse."""

from operator import itemgetter

import numpy as np

from selfheal.contract.model import GatePolicy
from selfheal.gates.evidence import EvidenceRows
from selfheal.gates.resampling import blocks_of, draws_of, interval_of
from selfheal.records.ledger import GateResult
from selfheal.tasks.metric import Metric

type Gain = tuple[float, tuple[float, float]]


def metric_gain(rows: EvidenceRows, policy: GatePolicy) -> GateResult:
    """Gate 4: one of the policy's metrics is better by `minimum_gain`, relative to production's; either suffices.

    Of a blend also on those rows alone that its newcomer answers: older versions' merits don't carry it.
    """
    parts, metrics = [rows, *rows.of_newcomer], rows.task.gate_metrics
    gains = {
        name: min((gain_of(metrics[name], part) for part in parts), key=itemgetter(0)) for name in policy.gain_metrics
    }
    best = max(gains, key=lambda metric: gains[metric][0])
    value, interval = gains[best]
    found = ", ".join(f"{metric} {gain:+.1%}" for metric, (gain, _) in gains.items())
    return GateResult(
        gate="metric_gain",
        passed=value >= policy.minimum_gain,
        value=value,
        threshold=policy.minimum_gain,
        n=len(rows),
        interval=interval,
        reason=f"relative gain: {found}; needed: {policy.minimum_gain:+.1%} in one of them",
    )


def brier_limit(rows: EvidenceRows, policy: GatePolicy) -> GateResult:
    """Gate 5: the mean loss is no more than `maximum_brier_increase` higher than production's."""
    blocks = blocks_of(len(rows))
    weights, worse = np.bincount(blocks, rows.weights), np.bincount(blocks, -rows.gains)
    production, _ = rows.losses
    # Relative where a loss of itself says little of how large it is.
    scale = float(production.sum() / rows.weights.sum()) if rows.task.is_relative else 1.0
    weights, draws = weights * (scale or 1.0), draws_of(len(weights))
    increase, score = float(worse.sum() / weights.sum()), rows.task.score
    return GateResult(
        gate="brier_limit",
        passed=increase <= policy.maximum_brier_increase,
        value=increase,
        threshold=policy.maximum_brier_increase,
        n=len(rows),
        interval=interval_of((draws @ worse) / (draws @ weights)),
        reason=f"{score[0].upper()}{score[1:]} {increase:+.4f}; allowed: {policy.maximum_brier_increase:+.4f}",
    )


def gain_of(metric: Metric, rows: EvidenceRows) -> Gain:
    """The relative gain in a metric, and its interval by resampled blocks of time."""
    before, after = rows.sums(metric, blocks_of(len(rows)))
    draws = draws_of(len(before))
    gain = metric.gain(before.sum(axis=0, keepdims=True), after.sum(axis=0, keepdims=True))
    return float(gain[0]), interval_of(metric.gain(draws @ before, draws @ after))
