"""Gates 4 and 5: the shadow model is better by enough, and its probabilities aren't worse."""

from collections.abc import Callable
from operator import itemgetter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from selfheal.contract.model import GatePolicy
from selfheal.gates.evidence import EvidenceRows
from selfheal.gates.metrics import relative_f1_gain, tally
from selfheal.gates.resampling import blocks_of, draws_of, interval_of
from selfheal.records.ledger import GateResult


def metric_gain(rows: EvidenceRows, policy: GatePolicy) -> GateResult:
    """Gate 4: F1 or Brier score is better by `minimum_gain`, relative to production's; either suffices.

    Of a blend also on those rows alone that its newcomer answers: older versions' merits don't carry it.
    """
    parts = [rows, *rows.of_newcomer]
    gains = {metric: min((_GAINS[metric](part) for part in parts), key=itemgetter(0)) for metric in policy.gain_metrics}
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
    """Gate 5: the Brier score is no more than `maximum_brier_increase` higher than production's."""
    production, shadow, weights = _brier_sums(rows)
    increase = float((shadow.sum() - production.sum()) / weights.sum())
    draws = draws_of(len(weights))
    return GateResult(
        gate="brier_limit",
        passed=increase <= policy.maximum_brier_increase,
        value=increase,
        threshold=policy.maximum_brier_increase,
        n=len(rows),
        interval=interval_of((draws @ (shadow - production)) / (draws @ weights)),
        reason=f"Brier score {increase:+.4f}; allowed: {policy.maximum_brier_increase:+.4f}",
    )


type Gain = tuple[float, tuple[float, float]]


def _brier_gain(rows: EvidenceRows) -> Gain:
    production, shadow, _ = _brier_sums(rows)
    draws = draws_of(len(production))
    gain = _relative_drop(np.array([production.sum()]), np.array([shadow.sum()]))
    return float(gain[0]), interval_of(_relative_drop(draws @ production, draws @ shadow))


def _f1_gain(rows: EvidenceRows) -> Gain:
    blocks = blocks_of(len(rows))
    production = tally(rows.labels, rows.production_prediction, rows.weights, blocks)
    shadow = tally(rows.labels, rows.shadow_prediction, rows.weights, blocks)
    draws = draws_of(len(production.actual))
    gain = relative_f1_gain(production.total(), shadow.total())
    return float(gain[0]), interval_of(relative_f1_gain(production.weighted(draws), shadow.weighted(draws)))


def _relative_drop(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    # A production model without any error can't be improved on.
    return np.divide(before - after, before, out=-np.sign(after), where=before > 0)


def _brier_sums(rows: EvidenceRows) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    blocks = blocks_of(len(rows))
    production, shadow = rows.losses
    return np.bincount(blocks, production), np.bincount(blocks, shadow), np.bincount(blocks, rows.weights)


_GAINS: dict[Literal["f1", "brier"], Callable[[EvidenceRows], Gain]] = {"f1": _f1_gain, "brier": _brier_gain}
