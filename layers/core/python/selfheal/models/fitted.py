"""A fitted model: pipelines, their weights and a calibration; what the exported artefact must equal."""

from collections.abc import Sequence
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

    def shrunk(self, share: float) -> "Calibration":
        """That share of what it changes."""
        return Calibration(1.0 + share * (self.slope - 1.0), share * self.intercept)

    def probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shape (n,) from scores in log-odds, shape (n,)."""
        return np.asarray(expit(self.slope * scores + self.intercept))


@dataclass(frozen=True, slots=True)
class Member:
    """A pipeline that ends in a classifier whose `decision_function` is in log-odds, and its weight in the sum."""

    pipeline: Pipeline
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class FittedModel:
    """One pipeline, or several whose scores are added up by weight."""

    members: Sequence[Member]
    calibration: Calibration
    threshold: float

    def probabilities(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """The probability of the positive label, shape (n,): scikit-learn's own where it is one pipeline as fitted."""
        if len(self.members) == 1 and self.members[0].weight == 1 and self.calibration.is_identity:
            return np.asarray(self.members[0].pipeline.predict_proba(features)[:, 1])
        scores = [member.weight * member.pipeline.decision_function(features) for member in self.members]
        return self.calibration.probabilities(np.sum(scores, axis=0))
