"""Estimators that make a score of another one's: a mean of its trees, or the log-odds of a share.

- `{"kind": "quotient", "divisor", "estimator"}`: the score of trees divided by a number, as forests do;
- `{"kind": "log_odds", "estimator"}`: of a share p in [0, 1], which is a quotient or what `layers` answer, the log-odds
  log(p / (1 - p)); p is held off 0 and 1 by a millionth, so that no single model can overrule all others of a mean;
- `{"kind": "log", "estimator"}`: of a share its logarithm, held off in the same way.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from selfheal.models.shares import held_off, log_odds_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Scorer(Protocol):
    """See `selfheal.models.native.estimators.Estimator`."""

    def one(self, cells: Sequence[Any]) -> float:
        """The score of one row."""
        ...

    def many(self, columns: "Sequence[NDArray[Any]]", rows: int) -> "NDArray[Any]":
        """The scores of many rows."""
        ...


@dataclass(frozen=True, slots=True)
class Quotient:
    """The score of another one, divided."""

    estimator: Scorer
    divisor: float

    def one(self, cells: Sequence[Any]) -> float:
        """See Scorer."""
        return self.estimator.one(cells) / self.divisor

    def many(self, columns: "Sequence[NDArray[Any]]", rows: int) -> "NDArray[Any]":
        """See Scorer."""
        return self.estimator.many(columns, rows) / self.divisor


@dataclass(frozen=True, slots=True)
class LogOdds:
    """The log-odds of a share."""

    estimator: Scorer

    def one(self, cells: Sequence[Any]) -> float:
        """See Scorer."""
        return log_odds_of(self.estimator.one(cells))

    def many(self, columns: "Sequence[NDArray[Any]]", rows: int) -> "NDArray[Any]":
        """See Scorer."""
        import numpy as np

        # Not numpy's log: its bits differ from the C library's.
        return np.array([log_odds_of(share) for share in self.estimator.many(columns, rows).tolist()], dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Log:
    """The logarithm of a share."""

    estimator: Scorer

    def one(self, cells: Sequence[Any]) -> float:
        """See Scorer."""
        return math.log(held_off(self.estimator.one(cells)))

    def many(self, columns: "Sequence[NDArray[Any]]", rows: int) -> "NDArray[Any]":
        """See Scorer."""
        import numpy as np

        shares = self.estimator.many(columns, rows).tolist()
        return np.array([math.log(held_off(share)) for share in shares], dtype=np.float64)
