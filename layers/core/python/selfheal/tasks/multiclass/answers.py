"""A multiclass answer is a probability for each class; it is right to the degree that half the squared distance says.

Labels are positions of classes. One beyond the classes that a model knows is of a class that came later.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

# A probability of exactly 0 has no logarithm.
SMALLEST = 1e-12
# How far from 1 the probabilities of a row may add up to.
TOLERANCE = 1e-9

type Floats = NDArray[np.float64]
type Labels = NDArray[np.int8]


def are_distributions(values: Floats) -> bool:
    """Whether each row holds probabilities that add up to 1; NaN doesn't."""
    return bool(np.all(values >= 0) and np.all(np.abs(values.sum(axis=1) - 1) <= TOLERANCE))


def likeliest(probabilities: Floats, _: float = np.nan) -> Labels:
    """The likeliest class of each row, shape (n,); of two the first."""
    return probabilities.argmax(axis=1).astype(np.int8)


def of_truth(probabilities: Floats, labels: Labels) -> Floats:
    """The probability that each row's own class had, shape (n,): 0 for a class that the model doesn't know."""
    known = labels < probabilities.shape[1]
    own = np.zeros(len(labels))
    own[known] = probabilities[known, labels[known]]
    return own


def half_squared_distances(probabilities: Floats, labels: Labels) -> Floats:
    """Half the squared distance to the truth's unit vector, in [0, 1], shape (n,): of two classes the Brier loss."""
    return np.asarray((np.square(probabilities).sum(axis=1) + 1) / 2 - of_truth(probabilities, labels))


def distances(before: Floats, after: Floats) -> Floats:
    """Half the squared distance of two models' answers; a class that one of them doesn't know has no probability."""
    known = max(before.shape[1], after.shape[1])
    return np.asarray(np.square(padded(before, known) - padded(after, known)).sum(axis=1) / 2)


def padded(probabilities: Floats, classes: int) -> Floats:
    """The same for at least so many classes."""
    return np.pad(probabilities, ((0, 0), (0, max(0, classes - probabilities.shape[1]))))


def log_probabilities(probabilities: Floats) -> Floats:
    """In the same shape; 0 counts as 1e-12."""
    return np.asarray(np.log(np.maximum(probabilities, SMALLEST)))


def normalised(scores: Floats) -> Floats:
    """The softmax of scores, over the last axis."""
    return np.asarray(softmax(scores, axis=-1))


def beside_the_commonest(labels: Labels) -> NDArray[np.intp]:
    """How many of the first 1, 2, ... n rows aren't of the class that is the commonest among them, shape (n,).

    At most half of them, as of two classes: what judges is as many rows, however many classes there are.
    """
    if not len(labels):
        return np.zeros(0, dtype=np.intp)
    counts = np.cumsum(labels[:, None] == np.unique(labels), axis=0, dtype=np.intp)
    rows = np.arange(1, len(labels) + 1)
    return np.asarray(np.minimum(rows - counts.max(axis=1), rows // 2))


def log_losses(probabilities: Floats, labels: Labels) -> Floats:
    """Negative log-likelihood of each row, shape (n,); an impossible truth counts as one of 1e-12."""
    return np.asarray(-np.log(np.maximum(of_truth(probabilities, labels), SMALLEST)))
