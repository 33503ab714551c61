"""A fitted pipeline with its calibration: what scikit-learn answers, which the exported artefact must equal."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt's: the probability is expit(slope * score + intercept); slope 1 and intercept 0 leave it as it is."""

    slope: float = 1.0
    intercept: float = 0.0

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return self == Calibration()

    def probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shape (n,) from scores in log-odds, shape (n,)."""
        return np.asarray(expit(self.slope * scores + self.intercept))


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A pipeline that ends in a classifier with a `decision_function` in log-odds, and what follows it."""

    pipeline: Pipeline
    calibration: Calibration
    threshold: float

    def probabilities(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """The probability of the positive label, shape (n,): scikit-learn's own where nothing is calibrated."""
        if self.calibration.is_identity:
            return np.asarray(self.pipeline.predict_proba(features)[:, 1])
        return self.calibration.probabilities(self.pipeline.decision_function(features))
