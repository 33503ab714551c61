"""The binary task: everything that is particular to labels of 0 and 1, under the names of the port."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from selfheal.contract.model import ErrorCosts, TaskName
from selfheal.tasks import intervals
from selfheal.tasks.binary import answers as said
from selfheal.tasks.binary import expectation, shifts
from selfheal.tasks.binary.estimated import estimated
from selfheal.tasks.binary.metrics import BRIER, F1, LOG_LOSS, tuning_metrics
from selfheal.tasks.binary.operating_point import best_f1_threshold, mean_predictions, mean_threshold
from selfheal.tasks.binary.realised import realised
from selfheal.tasks.metric import Metric
from selfheal.tasks.port import Counted, Floats

type Labels = NDArray[np.int8]


class Binary:
    """See `selfheal.tasks.port.Task`; answers are probabilities of the positive label, the loss is Brier's."""

    name: TaskName = "binary"
    loss = "Brier"
    score = "Brier score"
    is_relative = False
    spread: float | None = None
    shifted = "positives have become more or less frequent"
    needs = "of both classes"
    gate_metrics: Mapping[str, Metric] = {"f1": F1, "brier": BRIER}
    segment_metric = F1
    history_metrics: Mapping[str, Metric] = {"f1": F1, "brier": BRIER, "logloss": LOG_LOSS}
    mean_loss = "brier"

    are_answers = staticmethod(said.are_probabilities)
    predictions = staticmethod(said.predictions_at)
    scores = staticmethod(said.log_odds)
    answers = staticmethod(said.probabilities_of)
    losses = staticmethod(said.brier_losses)
    distances = staticmethod(said.squared_differences)
    support = staticmethod(said.rarer_so_far)
    mean_predictions = staticmethod(mean_predictions)
    mean_point = staticmethod(mean_threshold)
    tuning_metrics = staticmethod(tuning_metrics)
    roc_auc = staticmethod(intervals.roc_auc)
    realised = staticmethod(realised)
    estimated = staticmethod(estimated)
    expected_losses = staticmethod(expectation.expected_losses)
    excess_p_value = staticmethod(expectation.excess_p_value)
    meaning_p_value = staticmethod(shifts.meaning_p_value)
    prior_shift = staticmethod(shifts.prior_shift)

    def operating_point(self, probabilities: Floats, labels: Labels, asked: float | str | ErrorCosts, /) -> float:
        """The threshold that is asked for, or the one with the highest F1."""
        return asked if isinstance(asked, float) else best_f1_threshold(labels, probabilities)

    def half_width_of(self, _answers: Floats, _labels: Labels, /) -> float | None:
        """Probabilities have none."""
        return None

    def are_telling(self, labels: Labels, /) -> bool:
        """F1 is of the positive ones."""
        return bool(labels.any())

    def counted(self, labels: Labels, /) -> Counted:
        """How many labels are positive."""
        return Counted(int(labels.sum()), "positive")

    def occurrence(self, labels: Labels, /) -> dict[str, int]:
        """How many labels are positive."""
        return {"positives": int(labels.sum())}

    def uneven(self, least: int, /) -> str:
        """By the rarer class."""
        return (
            "the rarer class is missing from the newest or the oldest half of the labels: "
            f"at least {least} of each class are needed in both"
        )

    def shortage(self, labels: Labels, least: int, /) -> str | None:
        """Too few of the rarer class, or none."""
        positives, rows = int(labels.sum()), len(labels)
        rarer = min(positives, rows - positives)
        if rarer == 0:
            only = "positive" if positives else "negative"
            return f"all {rows} labels are {only}: a classifier needs both classes"
        if rarer < least:
            return f"only {rarer} labels of the rarer class; at least {least} are needed"
        return None
