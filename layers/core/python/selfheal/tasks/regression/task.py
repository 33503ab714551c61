"""The regression task: everything that is particular to labels that are numbers, under the names of the port."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from selfheal.contract.model import ErrorCosts, TaskName
from selfheal.tasks.metric import Metric
from selfheal.tasks.port import Counted, Floats, LossModel, Measured, PriorShift, Scored, Unlabelled
from selfheal.tasks.regression import answers as said
from selfheal.tasks.regression import metrics, shifts
from selfheal.tasks.regression.conformal import half_width_of
from selfheal.tasks.regression.estimated import ErrorModel, estimated


class Regression:
    """See `selfheal.tasks.port.Task`; answers and labels are numbers in the target's unit.

    spread: how far training's target spreads. half_width: how far an answer's interval reaches; None: it has none.
    """

    name: TaskName = "regression"
    loss = "squared-error"
    score = "relative squared error"
    is_relative = True
    shifted = "the target's level has moved"
    needs = "that differ"
    segment_metric = metrics.MAE
    mean_loss = "relative_squared_error"

    are_answers = staticmethod(said.are_numbers)
    predictions = staticmethod(said.as_they_are)
    scores = staticmethod(said.as_they_are)
    answers = staticmethod(said.as_they_are)
    support = staticmethod(said.half_if_varied)
    tuning_metrics = staticmethod(metrics.tuning_metrics)

    def __init__(self, spread: float, half_width: float | None = None) -> None:
        self.spread: float | None = spread
        self._scale, self._half_width = spread or 1.0, half_width
        self.gate_metrics: Mapping[str, Metric] = {
            "mae": metrics.MAE,
            "mse": metrics.mean_squared_error(self._scale),
        }
        self.history_metrics: Mapping[str, Metric] = {
            "rmse": metrics.RMSE,
            "mae": metrics.MAE,
            "r2": metrics.R2,
            self.mean_loss: metrics.relative_squared_error(self._scale),
        }

    def losses(self, answers: Floats, labels: Floats, /) -> Floats:
        """Squared errors over the squared spread, 1 at the most."""
        return said.capped_squares(answers - labels, self._scale)

    distances = losses

    def operating_point(self, _answers: Floats, _labels: Floats, _asked: float | str | ErrorCosts, /) -> float:
        """There is none."""
        return float("nan")

    def mean_predictions(self, scores: Floats, _points: Floats, _weights: Floats, /) -> Floats:
        """The mean itself."""
        return scores

    def mean_point(self, _points: Floats, _weights: Floats, /) -> float:
        """There is none."""
        return float("nan")

    def half_width_of(self, answers: Floats, labels: Floats, /) -> float | None:
        """That of nine labels in ten."""
        return half_width_of(answers, labels)

    def roc_auc(self, _answers: Floats, _labels: Floats, /) -> None:
        """Numbers rank nothing."""
        return

    def occurrence(self, labels: Floats, /) -> dict[str, float]:
        """Their mean."""
        return {"mean": float(labels.mean())}

    def are_telling(self, labels: Floats, /) -> bool:
        """Any row is."""
        return len(labels) > 0

    def counted(self, _labels: Floats, /) -> Counted | None:
        """Nothing beside the number of rows."""
        return None

    def uneven(self, _least: int, /) -> str:
        """By whether they differ."""
        return (
            "all labels of the newest or of the oldest half are the same number: there is nothing to learn or to tune"
        )

    def shortage(self, labels: Floats, least: int, /) -> str | None:
        """Too few, or all the same."""
        if len(labels) < least:
            return f"only {len(labels)} labels; at least {least} are needed"
        if not (labels != labels[0]).any():
            return f"all {len(labels)} labels are the same number: there is nothing to learn"
        return None

    def realised(self, answers: Floats, _predictions: NDArray[np.float64], labels: Floats, /) -> Measured:
        """MAE, RMSE, R² and the interval's coverage."""
        return Measured(metrics.realised(answers, labels, self._half_width), 0.0)

    def estimated(self, rows: Unlabelled, tuning: Scored, /) -> Measured:
        """MAE and RMSE."""
        return Measured(estimated(rows, tuning), 0.0)

    def expected_losses(self, tuning: Scored, /) -> LossModel:
        """By what the tuning rows' errors teach."""
        return ErrorModel(tuning, self.losses(tuning.answers, tuning.labels)).of

    def excess_p_value(self, _answers: Floats, _labels: Floats, /) -> float:
        """A number says nothing of its own error, so that nothing speaks against a rise of the loss."""
        return 0.0

    def meaning_p_value(self, then: Scored, now: Scored, /) -> float:
        """By residuals."""
        return shifts.meaning_p_value(then, now, self._scale)

    def prior_shift(self, then: Scored, now: Scored, /) -> PriorShift:
        """Of the target's level."""
        return shifts.prior_shift(then, now, self._scale)
