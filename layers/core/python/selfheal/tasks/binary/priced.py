"""A binary task whose errors have a price: the operating point of the least cost, and cost as a metric."""

import numpy as np
from numpy.typing import NDArray

from selfheal.contract.model import ErrorCosts
from selfheal.tasks import intervals
from selfheal.tasks.binary.answers import predictions_at
from selfheal.tasks.binary.estimated import estimated
from selfheal.tasks.binary.metrics import cost_metric, costs_of, tuning_metrics
from selfheal.tasks.binary.operating_point import least_cost_threshold
from selfheal.tasks.binary.realised import realised
from selfheal.tasks.binary.task import Binary
from selfheal.tasks.port import Floats, Measured, Scored, Unlabelled

type Labels = NDArray[np.int8]


class PricedBinary(Binary):
    """See `Binary`; `costs` says what an error costs."""

    def __init__(self, costs: ErrorCosts) -> None:
        self._costs = costs
        cost = {"cost": cost_metric(costs)}
        self.gate_metrics = {**Binary.gate_metrics, **cost}
        self.history_metrics = {**Binary.history_metrics, **cost}

    def operating_point(self, probabilities: Floats, labels: Labels, _asked: object, /) -> float:
        """The threshold of the least cost."""
        return least_cost_threshold(labels, probabilities, self._costs)

    def tuning_metrics(self, probabilities: Floats, labels: Labels, threshold: float, /) -> dict[str, float]:
        """Those of every binary target, and the mean cost of a prediction at the threshold."""
        cost = costs_of(predictions_at(probabilities, threshold), labels, self._costs)
        return {**tuning_metrics(probabilities, labels, threshold), "cost": float(cost.mean())}

    def realised(self, probabilities: Floats, predictions: Labels, labels: Labels, /) -> Measured:
        """Those of every binary target, and the mean cost with the normal interval."""
        measured = realised(probabilities, predictions, labels)
        cost = intervals.mean_of_any(costs_of(predictions, labels, self._costs))
        return Measured({**measured.metrics, "cost": cost}, measured.positives)

    def estimated(self, rows: Unlabelled, tuning: Scored, costs: ErrorCosts | None = None) -> Measured:
        """Those of every binary target, and the expected cost."""
        return estimated(rows, tuning, costs or self._costs)
