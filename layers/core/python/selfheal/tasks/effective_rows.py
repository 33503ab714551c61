"""How far rows that a model was calibrated on speak for others."""

import numpy as np
from numpy.typing import NDArray

from selfheal.tasks.logistic import fit_logistic

type Floats = NDArray[np.float64]


def effective_rows(tuning_traits: Floats, window_traits: Floats) -> float:
    """How many of the tuning rows speak for the window: Kish's effective size under density-ratio weights.

    The ratio is the odds of a logistic regression that tells window from tuning rows. At least 1.
    """
    both = np.concatenate([tuning_traits, window_traits])
    design = np.column_stack([np.ones(len(both)), both])
    is_window = np.repeat(np.array([0, 1], dtype=np.int8), [len(tuning_traits), len(window_traits)])
    fit = fit_logistic(design, is_window, np.zeros(design.shape[1]), ridge=1.0)
    weights = np.exp(np.clip(design[: len(tuning_traits)] @ fit.coefficients, -20, 20))
    return float(max(1.0, weights.sum() ** 2 / (weights**2).sum()))
