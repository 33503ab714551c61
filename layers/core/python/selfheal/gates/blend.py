"""A blend of versions: the mean of their scores, weighted by their losses on rows that none of them has seen.

A version whose mean loss exceeds that of the best one by z standard errors has the weight exp(-z); the best one has 1.
That is the Akaike weight (Burnham and Anderson, Model Selection and Multimodel Inference, 2002) with a z-score in the
place of half a difference in information; it has no constant to fit. A newcomer, which few rows have judged, has the
weight of the best one: whether it helps is for the gates to say. As log loss is convex in the log-odds, which
are the scores of probabilities, a newcomer of weight w worsens the blend's by at most w times its own excess, and w is
at most one half.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from selfheal.gates.resampling import BLOCKS, blocks_of
from selfheal.records.manifest import MOST_MEMBERS
from selfheal.tasks import BINARY, Task
from selfheal.tasks.port import Floats, Labels

NEWCOMER = 0


@dataclass(frozen=True, eq=False)
class MemberAnswers:
    """What k versions, newest first, say of n labelled rows in time order.

    versions: k names; the first one is the newcomer. probabilities: their answers, shape (n, k) or (n, k, classes), NaN
    where the version has seen the row. thresholds: shape (k,), the operating points. task: what kind of answers.
    """

    versions: tuple[str, ...]
    probabilities: Floats
    thresholds: Floats
    task: Task = BINARY

    @property
    def scores(self) -> Floats:
        """The answers on the scale on which they are averaged, NaN where a version has seen the row."""
        return self.task.scores(self.probabilities)

    @property
    def answering(self) -> NDArray[np.bool_]:
        """Shape (n, k): of each row the three newest versions that haven't seen it."""
        unseen = np.isfinite(self.probabilities)
        if unseen.ndim > 2:  # noqa: PLR2004 - rows, versions, and what a version says of each class
            unseen = unseen.all(axis=2)
        return np.asarray(unseen & (np.cumsum(unseen, axis=1) <= MOST_MEMBERS))


@dataclass(frozen=True, eq=False)
class Blended:
    """What a model or a blend says of n rows: its answers, and predictions at its operating point."""

    probabilities: Floats
    predictions: Labels


def cross_fitted(answers: MemberAnswers, labels: Labels, row_weights: Floats) -> Blended:
    """Each row answered by the three newest versions that haven't seen it, weighted by rows of other blocks of time.

    Even blocks take the weights that odd ones give, and the reverse, so that no row chooses its own weights. A row that
    nobody may answer is NaN.

    Args:
        answers: the versions' own answers.
        labels: shape (n,).
        row_weights: shape (n,), positive: how much each row counts.
    """
    losses = _losses(answers, labels, row_weights)
    is_odd = blocks_of(len(labels)) % 2 == 1
    weights = np.zeros(answers.answering.shape)
    for members in np.unique(answers.answering, axis=0):
        alike = (answers.answering == members).all(axis=1)
        for half in (is_odd, ~is_odd):
            weights[alike & ~half] = _weights(losses[half], members)
    return _mean(answers, weights)


def weights_of(answers: MemberAnswers, labels: Labels, row_weights: Floats) -> Floats:
    """The weights of the versions in a blend of the three newest ones, by all rows: shape (k,), their sum is 1."""
    members = np.arange(len(answers.versions)) < MOST_MEMBERS
    return _weights(_losses(answers, labels, row_weights), members)


def served(answers: MemberAnswers, labels: Labels, row_weights: Floats) -> Floats:
    """What the blend that would be promoted says of each row: shape (n,), NaN where one of its members has seen it."""
    weights = weights_of(answers, labels, row_weights)
    return answers.task.answers(_weighted(answers.scores, np.tile(weights, (len(labels), 1))))


def _mean(answers: MemberAnswers, weights: Floats) -> Blended:
    task, blended = answers.task, _weighted(answers.scores, weights)
    probabilities = task.answers(blended)
    probabilities[weights.sum(axis=1) == 0] = np.nan
    return Blended(probabilities, task.mean_predictions(blended, answers.thresholds, weights))


def _weighted(scores: Floats, weights: Floats) -> Floats:
    """The sum over versions of weight * score, shape (n,) or (n, classes); `weights` has shape (n, versions)."""
    factors = weights if scores.ndim == weights.ndim else weights[:, :, None]
    return np.asarray(np.where(factors > 0, factors * scores, 0.0).sum(axis=1))


def _losses(answers: MemberAnswers, labels: Labels, row_weights: Floats) -> Floats:
    losses = np.empty((len(labels), len(answers.versions)))
    for member in range(len(answers.versions)):
        losses[:, member] = answers.task.losses(answers.probabilities[:, member], labels)
    return np.asarray(row_weights[:, None] * losses)


def _weights(losses: Floats, members: NDArray[np.bool_]) -> Floats:
    """Shape (k,); 0 for versions that aren't members. `losses`: shape (n, k), NaN where a version has seen the row."""
    chosen = np.flatnonzero(members).tolist()
    others = [one for one in chosen if one != NEWCOMER]
    weights = np.zeros(losses.shape[1])
    weights[chosen] = [1.0 if own == NEWCOMER else np.exp(-_excess(losses, own, others)) for own in chosen]
    return np.asarray(weights / max(weights.sum(), np.finfo(float).tiny))


def _excess(losses: Floats, own: int, others: Sequence[int]) -> float:
    """By how many standard errors a version is worse than the best of the others on rows that both haven't seen."""
    differences = (losses[:, own] - losses[:, other] for other in others if other != own)
    return max((_standard_errors(found[np.isfinite(found)]) for found in differences), default=0.0)


def _standard_errors(differences: Floats) -> float:
    """The mean of differences in time order, in standard errors by block of time, where above 0; else 0."""
    blocks = blocks_of(len(differences), BLOCKS)
    sums = np.bincount(blocks, differences) if len(differences) else np.zeros(0)
    total = float(sums.sum())
    if len(sums) < 2 or total <= 0:  # noqa: PLR2004 - one block has no spread
        return 0.0
    error = float(np.sqrt(len(sums) * sums.var(ddof=1)))
    return total / error if error else np.inf
