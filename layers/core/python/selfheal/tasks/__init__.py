"""Kinds of target, behind one port: what a label, an answer, a loss and a metric are.

Ledger, pointer, bets, sign flips, stores and the state machine know none of it.
"""

from selfheal.contract import Contract
from selfheal.contract.model import ErrorCosts
from selfheal.records.manifest import Manifest
from selfheal.tasks.binary import Binary, PricedBinary
from selfheal.tasks.multiclass import Multiclass, PricedMulticlass
from selfheal.tasks.port import Labels, Scored, Task, Unlabelled
from selfheal.tasks.regression import Regression
from selfheal.tasks.regression.answers import spread_of

__all__ = ["BINARY", "Multiclass", "Regression", "Scored", "Task", "Unlabelled", "judging_task", "task_for", "task_of"]

BINARY: Task = Binary()


def task_for(contract: Contract, labels: Labels) -> Task:
    """The task of a training run on these labels, shape (n,); the contract names all classes."""
    if contract.model.task == "multiclass":
        return _multiclass(contract)
    if contract.model.task == "regression":
        return Regression(spread_of(labels) if len(labels) else 0.0)
    return _binary(contract)


def judging_task(production: Manifest, challenger: Manifest) -> Task:
    """The task by which a version is judged against production: on the scale of production's training set, for all the
    classes that the challenger knows.
    """
    return task_of(challenger if production.contract.model.task == "multiclass" else production)


def task_of(manifest: Manifest) -> Task:
    """The task by which a version is judged: its loss has the scale of that version's training set."""
    if manifest.contract.model.task == "multiclass":
        return _multiclass(manifest.contract)
    if manifest.contract.model.task == "regression":
        return Regression(manifest.spread or 0.0, manifest.half_width)
    return _binary(manifest.contract)


def _multiclass(contract: Contract) -> Task:
    model = contract.model
    return Multiclass(model.classes or ()) if model.error_costs is None else PricedMulticlass(model)


def _binary(contract: Contract) -> Task:
    costs = contract.model.threshold
    return PricedBinary(costs) if isinstance(costs, ErrorCosts) else BINARY
