"""Labels and logged answers as arrays, as a contract's target has them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from selfheal.contract import Contract
from selfheal.tasks.port import Floats, Labels

type Value = int | float | str


def labels_of(values: Sequence[Value], contract: Contract) -> Labels:
    """What labels are in memory, shape (n,).

    Of several classes a label is its class's position in the contract; one that isn't there has the position after all.
    """
    if contract.model.task == "regression":
        return np.array(values, dtype=np.float64)
    if contract.model.task == "binary":
        return np.array(values, dtype=np.int8)
    known = positions(contract)
    return np.array([known.get(value, len(known)) for value in values], dtype=np.int8)


def positions(contract: Contract) -> Mapping[Value, int]:
    """Each class's position."""
    return {name: place for place, name in enumerate(contract.model.classes or ())}


def answers_of(
    probabilities: pd.Series, predictions: pd.Series, by_class: Mapping[str, pd.Series], contract: Contract
) -> tuple[Floats, Labels]:
    """What was answered and predicted, from columns of the log; `by_class` has a column of probabilities a class."""
    if contract.model.task == "binary":
        return probabilities.to_numpy(dtype=np.float64), predictions.to_numpy(dtype=np.int8)
    if contract.model.task == "regression":
        said = predictions.to_numpy(dtype=np.float64)
        return said, said
    none = pd.Series(0.0, index=predictions.index)
    columns = [by_class.get(name, none).fillna(0.0).to_numpy(dtype=np.float64) for name in contract.model.classes or ()]
    return np.column_stack(columns), labels_of(predictions.tolist(), contract)


def coded_answers(said: Sequence[Mapping[str, Any]], contract: Contract) -> tuple[Floats, Labels]:
    """The same of predictions as callers get them."""
    rows = pd.DataFrame({name: [one[name] for one in said] for name in ("probability", "prediction")})
    classes = contract.model.classes or ()
    by_class = {name: pd.Series([one["probabilities"].get(name, 0.0) for one in said]) for name in classes}
    return answers_of(rows["probability"], rows["prediction"], by_class, contract)
