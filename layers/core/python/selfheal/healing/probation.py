"""Probation: a running bet that the new version is worse than the one before it, which may be looked at any time.

A betting e-process (Waudby-Smith and Ramdas, Journal of the Royal Statistical Society B 86, 2024): where the new
version is no worse, the chance that it ever reaches 1 / significance is at most the significance (Ville's inequality).
"""

import numpy as np
from numpy.typing import NDArray

from selfheal.records.monitoring import Finding
from selfheal.records.probation import Probation

# A stake below 1 / max(loss difference) keeps the wealth positive whatever comes.
LARGEST_STAKE = 0.9


def e_process(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """The wealth after each row: the product of 1 + stake * difference, whose stake rests on earlier rows alone.

    Args:
        differences: shape (n,), in [-1, 1], in order of arrival: Brier loss of the new minus that of the old version.

    Returns:
        Shape (n,), positive; how many times the bet has multiplied.
    """
    return np.exp(np.cumsum(np.log1p(_stakes(differences) * differences)))


def probation_findings(probation: Probation | None) -> tuple[Finding, ...]:
    """One finding where a probation can't be judged: as long as that lasts, nobody comes back."""
    if probation is None or probation.is_judged:
        return ()
    return (
        Finding(
            kind="unjudged_probation",
            severity="warning",
            feature=None,
            message=probation.sentence,
            value=1.0,
            expected=0.0,
            n=probation.labels,
        ),
    )


def _stakes(differences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over variance of all earlier differences, held within [0, LARGEST_STAKE]; 0 for the first."""
    earlier = np.arange(len(differences))
    counts = np.maximum(earlier, 1)
    means = (np.cumsum(differences) - differences) / counts
    variances = (np.cumsum(differences**2) - differences**2) / counts - means**2
    # Rows that are all alike have no variance but for rounding; they say nothing of how far a difference may lie.
    known = (earlier > 0) & (variances > np.finfo(np.float64).eps)
    stakes = np.divide(means, variances, out=np.zeros_like(means), where=known)
    return np.clip(stakes, 0.0, LARGEST_STAKE)
