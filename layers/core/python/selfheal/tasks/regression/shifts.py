"""Do the same inputs mean what they meant, and if not, has only the target's level shifted?"""

import numpy as np

from selfheal.tasks.differences import mean_difference_p_value
from selfheal.tasks.port import Floats, PriorShift, Scored


def meaning_p_value(then: Scored, now: Scored, spread: float) -> float:
    """Whether residuals lean the same way then and now, on answer and traits; small where they don't."""
    return mean_difference_p_value(*(_leanings(rows, then, _residuals(rows, spread)) for rows in (then, now)))


def prior_shift(then: Scored, now: Scored, spread: float) -> PriorShift:
    """Whether one number that is added to every label explains that they don't."""
    before, after = (_residuals(rows, spread) for rows in (then, now))
    centred = [_leanings(rows, then, found - found.mean()) for rows, found in ((then, before), (now, after))]
    said = f"the target's mean went from {then.labels.mean():.4g} to {now.labels.mean():.4g}"
    return PriorShift(mean_difference_p_value(*(leanings[:, 1:] for leanings in centred)), said)


def _residuals(rows: Scored, spread: float) -> Floats:
    """Held within the spread, so that one wild label doesn't decide."""
    return np.clip((rows.labels - rows.answers) / spread, -1.0, 1.0)


def _leanings(rows: Scored, then: Scored, residuals: Floats) -> Floats:
    rank = np.searchsorted(np.sort(then.answers), rows.answers) / len(then.answers) - 0.5
    regressors = np.column_stack([np.ones(len(rank)), rank, np.nan_to_num(rows.traits)])
    return np.asarray(residuals[:, None] * regressors)
