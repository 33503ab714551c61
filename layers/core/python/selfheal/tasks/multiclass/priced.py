"""Several classes whose errors have prices: the class of the least expected cost, and cost as a metric."""

import numpy as np

from selfheal.contract.model import ModelSection
from selfheal.tasks import intervals
from selfheal.tasks.metric import mean_metric
from selfheal.tasks.multiclass.estimated import estimated
from selfheal.tasks.multiclass.metrics import realised, tuning_metrics
from selfheal.tasks.multiclass.task import Labels, Multiclass
from selfheal.tasks.port import Floats, Measured, Scored, Unlabelled

# What an error costs that has no price.
UNPRICED = 1.0


class PricedMulticlass(Multiclass):
    """See `Multiclass`; the contract's `model.error_costs` says what an error costs."""

    def __init__(self, model: ModelSection) -> None:
        super().__init__(model.classes or ())
        self._costs = costs_of(model)
        cost = {"cost": mean_metric("cost", "cost", lambda _, predictions, labels: self._paid(predictions, labels))}
        self.gate_metrics = {**self.gate_metrics, **cost}
        self.history_metrics = {**self.history_metrics, **cost}

    def predictions(self, probabilities: Floats, _: float = np.nan) -> Labels:
        """The class of the least expected cost."""
        return least_cost(probabilities, self._costs)

    def mean_predictions(self, scores: Floats, _points: Floats, _weights: Floats, /) -> Labels:
        """The same by the mean."""
        return least_cost(self.answers(scores), self._costs)

    def tuning_metrics(
        self, probabilities: Floats, labels: Labels, _: float, predictions: Labels | None = None
    ) -> dict[str, float]:
        """Those of every multiclass target, and the mean cost of a prediction."""
        predicted = self.predictions(probabilities) if predictions is None else predictions
        found = tuning_metrics(probabilities, labels, np.nan, predicted)
        return {**found, "cost": float(self._paid(predicted, labels).mean())}

    def realised(self, probabilities: Floats, predictions: Labels, labels: Labels) -> Measured:
        """Those of every multiclass target, and the mean cost with the normal interval."""
        measured = realised(probabilities, predictions, labels)
        cost = intervals.mean_of_any(self._paid(predictions, labels))
        return Measured({**measured.metrics, "cost": cost}, measured.positives)

    def estimated(self, rows: Unlabelled, tuning: Scored, costs: Floats | None = None) -> Measured:
        """Those of every multiclass target, and the expected cost."""
        return estimated(rows, tuning, self._costs if costs is None else costs)

    def _paid(self, predictions: Labels, labels: Labels) -> Floats:
        """What each prediction costs, shape (n,); where the truth is a class that came later, what has no price."""
        costs = np.vstack([self._costs, np.full(len(self._costs), UNPRICED)])
        truths = np.minimum(labels.astype(np.intp), len(self._costs))
        return np.asarray(costs[truths, predictions.astype(np.intp)])


def costs_of(model: ModelSection) -> Floats:
    """What an error costs by truth and prediction, shape (classes, classes)."""
    classes = model.classes or ()
    return np.array([[model.error_cost(truth, predicted) for predicted in classes] for truth in classes])


def least_cost(probabilities: Floats, costs: Floats) -> Labels:
    """The class of the least expected cost, shape (n,); of two the first."""
    known = probabilities.shape[1]
    expected = np.zeros_like(probabilities)
    # One class after the other, as one row is answered: the same bits.
    for truth in range(known):
        expected += probabilities[:, truth, None] * costs[truth, :known]
    return expected.argmin(axis=1).astype(np.int8)
