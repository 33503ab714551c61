"""A fitted model: pipelines, their weights and a calibration; what the exported artefact must equal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.pipeline import Pipeline

from selfheal.models.shares import LEAST_SHARE


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt's: the probability is expit(slope * score + intercept); slope 1 and intercept 0 leave it as it is.

    Of several classes the slope is the inverse of a temperature, and the intercept is 0.
    """

    slope: float = 1.0
    intercept: float = 0.0

    @property
    def is_identity(self) -> bool:
        """Whether it changes nothing."""
        return self == Calibration()

    def shrunk(self, share: float) -> "Calibration":
        """That share of what it changes."""
        return Calibration(1.0 + share * (self.slope - 1.0), share * self.intercept)

    def scores(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated scores, in the same shape."""
        return scores if self.is_identity else np.asarray(self.slope * scores + self.intercept)

    def probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shape (n,) from scores in log-odds, shape (n,)."""
        return np.asarray(expit(self.slope * scores + self.intercept))


@dataclass(frozen=True, slots=True)
class Member:
    """A pipeline that ends in a classifier whose `decision_function` is in log-odds, or in a regressor, and its weight
    in the sum.

    positions: where its classes stand among the contract's; left out where it was taught their positions themselves.
    """

    pipeline: Pipeline
    weight: float = 1.0
    positions: tuple[int, ...] | None = None

    @property
    def seen(self) -> list[int]:
        """The positions of the classes that it knows."""
        return list(self.pipeline[-1].classes_.tolist() if self.positions is None else self.positions)

    def scores(self, features: pd.DataFrame, classes: int) -> NDArray[np.float64]:
        """Its scores: log-odds or numbers, shape (n,); of several classes shape (n, classes)."""
        prepared = self.pipeline[:-1].transform(features) if len(self.pipeline) > 1 else features
        return raw_scores(self.pipeline[-1], prepared, classes, self.positions)


# From scores to answers: of log-odds, of several classes' scores, of numbers.
Link = Literal["expit", "softmax", "identity"]
# How libraries are asked for scores before they become probabilities.
RAW = {"lightgbm": {"raw_score": True}, "xgboost": {"output_margin": True}}
# These compare and add up in float32; and an isotonic calibration is so steep between two neighbouring scores that it
# enlarges what rounding loses.
SINGLE_PRECISION = {"xgboost": 1e-6, "isotonic": 1e-6}
TOLERANCE = 1e-12
FLOAT32 = ("sklearn.tree", "sklearn.ensemble._forest", "sklearn.ensemble._gb", "xgboost")
# The score of a class that no row of the training set has.
UNSEEN_CLASS = -30.0


@dataclass(frozen=True, slots=True)
class FittedModel:
    """One pipeline, or several whose scores are added up by weight.

    threshold: the operating point, NaN where there is none. classes: how many there are, of a softmax.
    """

    members: Sequence[Member]
    calibration: Calibration
    threshold: float
    link: Link = "expit"
    classes: int = 1

    def probabilities(self, features: pd.DataFrame) -> NDArray[np.float64]:
        """The answers, scikit-learn's own where it is one pipeline as fitted: the probability of the positive label,
        shape (n,); one of each class, shape (n, classes); or a number.
        """
        if self.link == "expit" and len(self.members) == 1 and self.is_as_fitted:
            return np.asarray(self.members[0].pipeline.predict_proba(features)[:, 1])
        scores = [member.weight * member.scores(features, self.classes) for member in self.members]
        total = np.sum(scores, axis=0)
        if self.link == "expit":
            return self.calibration.probabilities(total)
        return total if self.link == "identity" else np.asarray(softmax(self.calibration.slope * total, axis=1))

    @property
    def tolerance(self) -> float:
        """By how much an answer may differ from the libraries' own: what they lose in their own arithmetic."""
        return max(SINGLE_PRECISION.get(module.partition(".")[0], TOLERANCE) for module in self._modules)

    @property
    def largest_number(self) -> float:
        """The largest number that the libraries take: some hold features in float32."""
        is_single = any(module.startswith(FLOAT32) for module in self._modules)
        return float(np.finfo(np.float32).max) if is_single else float(np.finfo(np.float64).max)

    @property
    def _modules(self) -> list[str]:
        """Where the estimators come from, those within others among them."""
        parts = [part for member in self.members for part in (member.pipeline[-1], *_parts(member.pipeline[-1]))]
        steep = ["isotonic" for part in parts if getattr(part, "method", None) == "isotonic"]
        return [*(type(part).__module__ for part in parts), *steep]

    @property
    def is_as_fitted(self) -> bool:
        """Whether weight and calibration of the first member change nothing."""
        return self.members[0].weight == 1 and self.calibration.is_identity


def _parts(estimator: Any) -> list[Any]:
    return [value for value in estimator.get_params().values() if hasattr(value, "get_params")]


def raw_scores(
    estimator: Any, prepared: Any, classes: int, positions: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """The scores of a pipeline's last step, asked for what the others have prepared; see Member."""
    library = type(estimator).__module__.partition(".")[0]
    if hasattr(estimator, "decision_function"):
        scores = estimator.decision_function(prepared)
    elif library in RAW:
        scores = np.asarray(estimator.predict(prepared, **RAW[library]), dtype=np.float64)
    elif hasattr(estimator, "predict_proba"):
        scores = _of_shares(np.asarray(estimator.predict_proba(prepared)))
    else:
        return np.asarray(estimator.predict(prepared), dtype=np.float64)
    return by_class(scores, estimator, classes, positions)


def _of_shares(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of the second of two classes, or the log of each one's share, held off 0 and 1."""
    held = np.clip(shares, LEAST_SHARE, 1 - LEAST_SHARE)
    return np.log(held[:, 1] / (1 - held[:, 1])) if shares.shape[1] == 2 else np.log(held)  # noqa: PLR2004 - binary


def by_class(
    scores: NDArray[np.float64], estimator: Any, classes: int, positions: Sequence[int] | None = None
) -> NDArray[np.float64]:
    """A classifier's decision function with a column for each class, those included that it never saw."""
    if classes == 1:
        return np.ravel(scores)
    columns = np.column_stack([np.zeros(len(scores)), scores]) if scores.ndim == 1 or scores.shape[1] == 1 else scores
    whole = np.full((len(scores), classes), UNSEEN_CLASS)
    whole[:, estimator.classes_ if positions is None else positions] = columns
    return whole
