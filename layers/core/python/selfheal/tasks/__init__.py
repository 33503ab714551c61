"""Kinds of target, behind one port: what a label, an answer, a loss and a metric are.

Ledger, pointer, bets, sign flips, stores and the state machine know none of it.
"""

from selfheal.tasks.binary import Binary
from selfheal.tasks.port import Scored, Task, Unlabelled

__all__ = ["BINARY", "Scored", "Task", "Unlabelled"]

BINARY: Task = Binary()
