"""What a model's answers and their labels are as columns of a table that a user makes, and as arrays."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from selfheal.contract import Contract, Feature
from selfheal.tasks.coding import labels_of
from selfheal.tasks.port import Floats, Labels

# Before a class, in the name of the column that holds its probability.
OF_CLASS = "probability."
# How far from 1 a row's probabilities may add up to: people round them.
ROUNDED = 0.01
CHANCE = Feature(type="number", minimum=0, maximum=1)
YES_OR_NO = Feature(type="integer", minimum=0, maximum=1)
NUMBER = Feature(type="number")


class Columns(NamedTuple):
    """What each column has to be, by name; those of answers stand after the model's name and an underscore.

    answers: all are needed. predictions: at the model's own operating point, where the table has them.
    """

    label: Feature
    answers: Mapping[str, Feature]
    predictions: Mapping[str, Feature]


def columns_of(contract: Contract) -> Columns:
    """The columns that a contract's kind of target needs; of several classes it has to name them."""
    model = contract.model
    if model.task == "regression":
        limits = {"minimum": model.minimum, "maximum": model.maximum}
        return Columns(NUMBER.model_copy(update={"nullable": True, **limits}), {"prediction": NUMBER}, {})
    if model.task == "multiclass":
        label = Feature(type="category", nullable=True, categories=model.classes)
        return Columns(label, {f"{OF_CLASS}{name}": CHANCE for name in model.classes or ()}, {})
    label = YES_OR_NO.model_copy(update={"nullable": True})
    return Columns(label, {"probability": CHANCE}, {"prediction": YES_OR_NO})


def with_classes_of(contract: Contract, names: Sequence[str], model: str) -> Contract:
    """The contract; of several classes that it doesn't list, with those that a model's columns are about."""
    if contract.model.task != "multiclass" or contract.model.classes is not None:
        return contract
    before = f"{model}_{OF_CLASS}"
    return contract.with_classes(tuple(name.removeprefix(before) for name in names if name.startswith(before)))


def labels_from(column: "pd.Series[Any]", contract: Contract) -> Labels:
    """A column of labels, none of them missing, shape (n,)."""
    return labels_of(column.tolist(), contract)


def answers_from(frame: pd.DataFrame, model: str, contract: Contract) -> Floats:
    """A model's answers, shape (n,) or (n, classes); probabilities of a row add up to 1, if rounding alone kept them
    from it.
    """
    columns = [frame[f"{model}_{name}"].to_numpy(dtype=np.float64) for name in columns_of(contract).answers]
    if contract.model.task != "multiclass":
        return columns[0]
    said = np.column_stack(columns)
    total = said.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(said, total, out=said, where=np.abs(total - 1) <= ROUNDED), dtype=np.float64)
