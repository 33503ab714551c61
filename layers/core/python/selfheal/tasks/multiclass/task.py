"""The multiclass task: everything that is particular to labels of one of several classes, under the port's names."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from selfheal.contract.model import ErrorCosts, TaskName
from selfheal.tasks.intervals import upper_tail
from selfheal.tasks.metric import Metric
from selfheal.tasks.multiclass import answers as said
from selfheal.tasks.multiclass import calibration, metrics, shifts
from selfheal.tasks.multiclass.estimated import estimated
from selfheal.tasks.port import Counted, Floats

type Labels = NDArray[np.int8]


class Multiclass:
    """See `selfheal.tasks.port.Task`; answers have shape (n, classes), labels are positions in `classes`."""

    name: TaskName = "multiclass"
    loss = "Brier"
    score = "Brier score"
    is_relative = False
    spread: float | None = None
    shifted = "some classes have become more or less frequent"
    needs = "of two classes at least"
    segment_metric = metrics.ACCURACY
    mean_loss = "brier"

    are_answers = staticmethod(said.are_distributions)
    predictions = staticmethod(said.likeliest)
    scores = staticmethod(said.log_probabilities)
    answers = staticmethod(said.normalised)
    losses = staticmethod(said.half_squared_distances)
    distances = staticmethod(said.distances)
    support = staticmethod(said.beside_the_commonest)
    tuning_metrics = staticmethod(metrics.tuning_metrics)
    roc_auc = staticmethod(metrics.roc_auc)
    realised = staticmethod(metrics.realised)
    estimated = staticmethod(estimated)
    expected_losses = staticmethod(calibration.expected_losses)
    meaning_p_value = staticmethod(shifts.meaning_p_value)
    prior_shift = staticmethod(shifts.prior_shift)

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.gate_metrics: Mapping[str, Metric] = {
            "macro_f1": metrics.macro_f1(len(classes)),
            "accuracy": metrics.ACCURACY,
            "brier": metrics.BRIER,
        }
        self.history_metrics: Mapping[str, Metric] = {**self.gate_metrics, "logloss": metrics.LOG_LOSS}

    def operating_point(self, _answers: Floats, _labels: Labels, _asked: float | str | ErrorCosts, /) -> float:
        """There is none: the likeliest class is predicted."""
        return float("nan")

    def mean_predictions(self, scores: Floats, _points: Floats, _weights: Floats, /) -> Labels:
        """The likeliest class by the mean."""
        return said.likeliest(scores)

    def mean_point(self, _points: Floats, _weights: Floats, /) -> float:
        """There is none."""
        return float("nan")

    def half_width_of(self, _answers: Floats, _labels: Labels, /) -> float | None:
        """Probabilities have none."""
        return None

    def are_telling(self, labels: Labels, /) -> bool:
        """Any row is: accuracy is of all."""
        return len(labels) > 0

    def counted(self, labels: Labels, /) -> Counted:
        """How many rows aren't of the commonest class."""
        support = said.beside_the_commonest(labels)
        return Counted(int(support[-1]) if len(support) else 0, "beside the commonest class")

    def occurrence(self, labels: Labels, /) -> dict[str, dict[str, int]]:
        """How many labels are of each class."""
        counts = np.bincount(labels.astype(np.intp), minlength=len(self.classes))
        return {"classes": dict(zip(self.classes, counts.tolist(), strict=False))}

    def uneven(self, least: int, /) -> str:
        """By the rows beside the commonest class."""
        return (
            "nearly all labels of the newest or of the oldest half are of one class: "
            f"at least {least} of others are needed in both"
        )

    def shortage(self, labels: Labels, least: int, /) -> str | None:
        """Too few rows beside the commonest class, or none."""
        support = self.counted(labels).number
        if support == 0:
            return f"all {len(labels)} labels are of one class: a classifier needs two at least"
        if support < least:
            return f"only {support} labels beside the commonest class; at least {least} are needed"
        return None

    def excess_p_value(self, probabilities: Floats, labels: Labels, /) -> float:
        """Spiegelhalter's (1986) test, with the multinomial in place of the binomial."""
        excess, variance = metrics.excess_of_truth(probabilities, labels)
        error = float(np.sqrt(variance.sum()))
        return upper_tail(float(excess.sum()), error)
