"""Shares of a forest's trees as scores: held off 0 and 1, so that no single model can overrule all others of a mean."""

import math

LEAST_SHARE = 1e-6


def held_off(share: float) -> float:
    """A share, a millionth or more away from 0 and 1."""
    return min(max(share, LEAST_SHARE), 1.0 - LEAST_SHARE)


def log_odds_of(share: float) -> float:
    """log(p / (1 - p)) of a share that is held off 0 and 1."""
    p = held_off(share)
    return math.log(p / (1.0 - p))
