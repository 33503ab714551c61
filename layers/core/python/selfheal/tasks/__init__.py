"""Kinds of target, behind one port: what a label, an answer, a loss and a metric are.

Ledger, pointer, bets, sign flips, stores and the state machine know none of it.
"""

from typing import NamedTuple

from selfheal.contract import Contract
from selfheal.records.manifest import Manifest
from selfheal.tasks.binary import Binary
from selfheal.tasks.multiclass import Multiclass
from selfheal.tasks.port import Floats, Labels, Scored, Task, Unlabelled
from selfheal.tasks.regression import Regression
from selfheal.tasks.regression.answers import spread_of
from selfheal.tasks.regression.conformal import half_width_of

__all__ = ["BINARY", "Multiclass", "Regression", "Scored", "Task", "Unlabelled", "scale_of", "task_for", "task_of"]

BINARY: Task = Binary()


def task_for(contract: Contract, labels: Labels) -> Task:
    """The task of a training run on these labels, shape (n,); the contract names all classes."""
    if contract.model.task == "multiclass":
        return Multiclass(contract.model.classes or ())
    if contract.model.task == "regression":
        return Regression(spread_of(labels) if len(labels) else 0.0)
    return BINARY


def task_of(manifest: Manifest) -> Task:
    """The task by which a version is judged: its loss has the scale of that version's training set."""
    if manifest.contract.model.task == "multiclass":
        return Multiclass(manifest.contract.model.classes or ())
    if manifest.contract.model.task == "regression":
        return Regression(manifest.spread or 0.0, manifest.half_width)
    return BINARY


class Scale(NamedTuple):
    """What a regression's manifest says of its target: see Manifest. None of other tasks."""

    spread: float | None = None
    half_width: float | None = None


def scale_of(contract: Contract, labels: Labels, said: Floats) -> Scale:
    """Of all labels of a training set, shape (n,), and of what the twin said of the newest of them, shape (tuning,)."""
    if contract.model.task != "regression":
        return Scale()
    return Scale(spread_of(labels), half_width_of(said, labels[len(labels) - len(said) :]))
