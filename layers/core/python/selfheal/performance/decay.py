"""Has the production model decayed? Its recent labelled rows against the rows that it was tuned on."""

import numpy as np
from numpy.typing import NDArray

from selfheal.records.monitoring import Decay
from selfheal.tasks import BINARY, Task, intervals

# Fewer tuning rows promise nothing; how uncertain the promise of few is, Welch's test knows.
MINIMUM_PROMISED = 50


def judge_decay(
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int8],
    promised: NDArray[np.float64],
    *,
    level: float,
    minimum_rows: int,
    minimum_increase: float,
    task: Task = BINARY,
) -> Decay:
    """Whether the model does worse than it promised, and worse than its own answers let expect.

    The mean loss must have risen (Welch's one-sided test), and must exceed what the model's answers let expect: rows
    that are harder to tell apart raise the first, not the second.

    Args:
        probabilities: shape (n,), of the newest labelled predictions of the production version.
        labels: shape (n,).
        promised: shape (m,), losses of the version's twin on the tuning rows.
        level: the false-alarm rate of this one look; both tests have to reach it.
        minimum_rows: fewer recent rows are not judged.
        minimum_increase: a smaller relative rise isn't worth acting on.
        task: what kind of labels they are.
    """
    losses = task.losses(probabilities, labels)
    before, after = _mean(promised), _mean(losses)
    if before is None or after is None or len(losses) < minimum_rows or len(promised) < MINIMUM_PROMISED:
        return Decay(
            decayed=False,
            brier=after,
            promised_brier=before,
            p_value=None,
            level=level,
            n=len(losses),
            score=task.score,
        )
    p_value = max(_risen(losses, promised), task.excess_p_value(probabilities, labels))
    decayed = p_value <= level and after >= before * (1 + minimum_increase)
    return Decay(
        decayed=decayed,
        brier=after,
        promised_brier=before,
        p_value=p_value,
        level=level,
        n=len(losses),
        score=task.score,
    )


def _risen(recent: NDArray[np.float64], promised: NDArray[np.float64]) -> float:
    error = np.sqrt(recent.var(ddof=1) / len(recent) + promised.var(ddof=1) / len(promised))
    return intervals.upper_tail(float(recent.mean() - promised.mean()), float(error))


def onset_of_decay(losses: NDArray[np.float64], promised: float) -> int:
    """Where a rise of the mean loss most likely began: a position in `losses`, shape (n,), oldest first; n at least 1.

    Maximum likelihood of one change away from a known mean (Hinkley 1970).
    """
    excess = np.cumsum((losses - promised)[::-1])[::-1]
    rows_from_here = np.arange(len(losses), 0, -1)
    return int(np.argmax(np.maximum(excess, 0.0) ** 2 / rows_from_here))


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None
