"""What probabilities themselves let expect of their Brier loss."""

import numpy as np
from numpy.typing import NDArray

from selfheal.tasks.binary.calibration import calibrated, fit_calibration
from selfheal.tasks.intervals import upper_tail
from selfheal.tasks.port import Floats, LossModel, Scored


def expected_losses(tuning: Scored) -> LossModel:
    """The Brier loss that a row's own probability lets expect, calibrated on the tuning rows."""
    coefficients = fit_calibration(tuning.answers, tuning.labels).coefficients

    def losses(probabilities: Floats, _: Floats) -> Floats:
        honest = calibrated(probabilities, coefficients)
        return np.asarray(honest * (1 - probabilities) ** 2 + (1 - honest) * probabilities**2)

    return losses


def excess_p_value(probabilities: Floats, labels: NDArray[np.int8]) -> float:
    """Whether the mean Brier loss exceeds p (1 - p), what an honest probability loses on average (Spiegelhalter 1986).

    Applicants who are harder to tell apart raise the loss, not its excess.
    """
    excess = (labels - probabilities) * (1 - 2 * probabilities)
    variance = probabilities * (1 - probabilities) * (1 - 2 * probabilities) ** 2
    error = float(np.sqrt(variance.sum()))
    return upper_tail(float(excess.sum()), error)
