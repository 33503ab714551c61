"""How often a changed world is called changed, beside KS with Bonferroni's correction, and how often relevant."""

from itertools import product

import numpy as np
from scipy import special

from selfheal.drift import Reference
from tests.benchmarks.drift.worlds import CREDIT, NORMAL_FEATURES, normal_contract, normal_rows
from tests.support.drift import judged

SHIFTS = (0.1, 0.25, 0.5)
SHARES = (0.1, 0.3, 1.0)
SIZES = (200, 1000)
REFERENCE_ROWS = 5000
LEVEL = 0.05


def power_curves(repetitions: int = 150, references: int = 10) -> list[dict[str, float]]:
    """One entry a point: shift (standard deviations), share of shifted features, n, and the three rates."""
    contract, rng = normal_contract(), np.random.default_rng(3)
    drawn = [normal_rows(rng, REFERENCE_ROWS) for _ in range(references)]
    known = [Reference(rows, contract) for rows in drawn]
    ordered = [np.sort(rows.to_numpy(), axis=0) for rows in drawn]
    points = []
    for n, shift, share in product(SIZES, SHIFTS, SHARES):
        hits = np.zeros(3)
        for repetition in range(repetitions):
            window = normal_rows(rng, n)
            window.iloc[:, : round(share * NORMAL_FEATURES)] += shift
            verdict = judged(known[repetition % references], window, CREDIT.policy.monitoring, LEVEL)
            bonferroni = _ks_bonferroni(ordered[repetition % references], window.to_numpy())
            hits += verdict.detection.detected, verdict.drift_detected, bonferroni
        detection, relevance, rival = (hits / repetitions).tolist()
        points.append(
            {
                "n": n,
                "shift": shift,
                "share": share,
                "detection": detection,
                "relevance": relevance,
                "ks_bonferroni": rival,
            }
        )
    return points


def _ks_bonferroni(reference: np.ndarray, window: np.ndarray) -> bool:
    """Whether any exact KS statistic is significant at level / features, by the same asymptotic distribution."""
    m, n = len(reference), len(window)
    statistics = [_ks(before, np.sort(after)) for before, after in zip(reference.T, window.T, strict=True)]
    root = np.sqrt(m * n / (m + n))
    p_value = special.kolmogorov((root + 0.12 + 0.11 / root) * max(statistics))
    return bool(p_value <= LEVEL / NORMAL_FEATURES)


def _ks(before: np.ndarray, after: np.ndarray) -> float:
    below = np.searchsorted(before, after, side="right") / len(before)
    steps = np.arange(len(after))
    return float(max((np.abs((steps + 1) / len(after) - below)).max(), np.abs(steps / len(after) - below).max()))
