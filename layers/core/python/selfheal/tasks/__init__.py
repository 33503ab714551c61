"""Kinds of target, behind one port: what a label, an answer, a loss and a metric are.

Ledger, pointer, bets, sign flips, stores and the state machine know none of it.
"""

from selfheal.tasks.binary import Binary
from selfheal.tasks.multiclass import Multiclass
from selfheal.tasks.port import Scored, Task, Unlabelled
from selfheal.tasks.regression import Regression

__all__ = ["BINARY", "Multiclass", "Regression", "Scored", "Task", "Unlabelled"]

BINARY: Task = Binary()


def _all_fit() -> tuple[Task, ...]:
    return Multiclass(()), Regression(1.0)
