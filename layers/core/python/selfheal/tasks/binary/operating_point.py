"""From which probability on a row is predicted positive."""

import numpy as np
from numpy.typing import NDArray

from selfheal.contract.model import ErrorCosts
from selfheal.tasks.binary.answers import log_odds, probabilities_of

WITHOUT_A_POSITIVE = 0.5

type Floats = NDArray[np.float64]


def best_f1_threshold(labels: NDArray[np.int8], probabilities: Floats) -> float:
    """The threshold with the highest F1 on these rows: halfway between two probabilities, clear of rounding.

    0.5 without a positive.
    """
    if not labels.any():
        return WITHOUT_A_POSITIVE
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    true_positives = np.cumsum(labels[order] == 1)
    f1 = 2 * true_positives / (np.arange(1, len(labels) + 1) + true_positives[-1])
    is_last_of_ties = np.append(ranked[1:] != ranked[:-1], True)
    best = int(np.argmax(np.where(is_last_of_ties, f1, -1.0)))
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + below) / 2)


def least_cost_threshold(labels: NDArray[np.int8], probabilities: Floats, costs: ErrorCosts) -> float:
    """The threshold of the least cost on these rows: halfway between two probabilities; of several the highest."""
    order = np.argsort(-probabilities, kind="stable")
    ranked, positive = probabilities[order], labels[order] == 1
    # Nothing is predicted positive, then one row more each time.
    false_positives = np.append(0, np.cumsum(~positive))
    false_negatives = positive.sum() - np.append(0, np.cumsum(positive))
    cost = costs.false_positive * false_positives + costs.false_negative * false_negatives
    bounds = np.concatenate([[1.0], ranked, [0.0]])
    is_between = np.append(bounds[:-2] != bounds[1:-1], True)
    best = int(np.argmin(np.where(is_between, cost, np.inf)))
    return float((bounds[best] + bounds[best + 1]) / 2)


def mean_predictions(scores: Floats, thresholds: Floats, weights: Floats) -> NDArray[np.int8]:
    """1 where a weighted mean of models reaches the mean of their operating points: scores of shape (n,) in log-odds,
    thresholds of shape (models,), weights of shape (n, models).
    """
    return (scores >= weights @ log_odds(thresholds)).astype(np.int8)


def mean_threshold(thresholds: Floats, weights: Floats) -> float:
    """The operating point of a weighted mean of models: the mean of theirs, in log-odds; shape (models,) each.

    The mean reaches it where its members, each measured from its own operating point, do so on average.
    """
    if (thresholds == thresholds[0]).all():
        return float(thresholds[0])
    return float(probabilities_of(weights @ log_odds(thresholds)))
