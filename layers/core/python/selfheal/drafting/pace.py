"""How fast a file's rows come, and the policy that suits it: windows that hold enough, and a fitting cooldown."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from selfheal.contract.model import GatePolicy, MonitoringPolicy, RetrainingPolicy

# The middle rows say how fast they come: a few wrong times at the ends don't.
ENDS = 0.01
LEAST_ROWS = 50
# A window of an ordinary day must suffice on a quiet one as well.
QUIET = 1.5
# Beyond this many days fewer predictions have to do, but never fewer than the least.
LONGEST_DAYS, LEAST_PREDICTIONS = 30, 50
LONGEST_COOLDOWN = 90

# Rows of nights, weekends or whole months may come at once: nine in ten waits are no longer than the gap.
MOST_GAPS = 0.9
A_DAY = 86_400e6


@dataclass(frozen=True, slots=True)
class Pace:
    """rows: how many a day; the policy that suits them, in the contract's own terms."""

    rows: float
    lookback_hours: int
    minimum_predictions: int
    cooldown_days: int

    @classmethod
    def of(cls, moments: NDArray[np.datetime64]) -> Self | None:
        """The pace of rows that were made at these moments, shape (n,); None where they are few or all at once."""
        ordered = np.sort(moments.astype("datetime64[us]").astype(np.int64)) / A_DAY
        middle = ordered[int(ENDS * len(ordered)) : math.ceil((1 - ENDS) * len(ordered))]
        if len(moments) < LEAST_ROWS or middle[-1] <= middle[0]:
            return None
        gap = float(np.quantile(np.diff(np.unique(middle)), MOST_GAPS))
        return cls.suiting(len(middle) / (middle[-1] - middle[0]), gap)

    @classmethod
    def suiting(cls, rows: float, gap: float = 0.0) -> Self:
        """The policy for so many rows a day that come at once, `gap` days after those before."""
        usual = MonitoringPolicy().minimum_predictions
        days = max(math.ceil(QUIET * usual / rows), math.ceil(gap))
        if days > LONGEST_DAYS:
            days = max(LONGEST_DAYS, math.ceil(QUIET * LEAST_PREDICTIONS / rows), math.ceil(gap))
        held = int(days * rows / QUIET)
        taught_and_judged = RetrainingPolicy().minimum_labels + GatePolicy().minimum_samples
        cooldown = max(GatePolicy().cooldown_days, math.ceil(taught_and_judged / rows), math.ceil(gap))
        return cls(
            rows=rows,
            lookback_hours=24 * days,
            minimum_predictions=max(LEAST_PREDICTIONS, min(usual, held)),
            cooldown_days=int(min(cooldown, LONGEST_COOLDOWN)),
        )


def policy_lines(pace: Pace) -> Iterator[str]:
    """The sections of a contract that say so."""
    yield "[policy.monitoring]"
    yield f"# The file has about {pace.rows:.3g} rows a day. A window holds the minimum on a quiet day as well."
    yield "# check: do you ask for as many predictions a day?"
    yield f"lookback_hours = {pace.lookback_hours}"
    yield f"minimum_predictions = {pace.minimum_predictions}"
    yield ""
    yield "[policy.gates]"
    yield "# Between two promotions: long enough for the labels that teach a new model and judge it."
    yield f"cooldown_days = {pace.cooldown_days}"
