"""The label column of a user's file: one text a value, and which values there are."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from selfheal.contract.model import MOST_CLASSES, Contract, FileSection
from selfheal.files.cells import is_blank
from selfheal.files.columns import texts, values
from selfheal.files.texts import shown
from selfheal.labels.text import NUMBER, label_text, number_of
from selfheal.labels.values import LONGEST_CLASS

MOST_SHOWN = 5
OPPOSITE = {"1": "0", "true": "false"}


class TargetValues(NamedTuple):
    """The label's values in the user's own terms, as text: a binary target's two, or the classes; a number has none."""

    positive: str = ""
    negative: str = ""
    classes: tuple[str, ...] = ()


def label_texts(cells: pa.Array, spec: FileSection) -> NDArray[np.object_]:
    """Each label as its text, shape (n,); None where it is missing."""
    found, known = values(texts(cells, spec.decimal)), dict[str, str]()
    for text in found:
        if text is not None and text not in known:
            number = text.replace(",", ".") if spec.decimal == "," else text
            known[text] = label_text(number if NUMBER.fullmatch(number.strip()) else text)
    array = np.array([None if text is None else known[text] for text in found], dtype=object)
    array[is_blank(cells)] = None
    return array


def target_values(labels: NDArray[np.object_], contract: Contract, faults: list[str]) -> TargetValues:
    """Which values a target has in a file; `faults` gains what doesn't fit the contract's task."""
    if contract.model.task == "regression":
        return TargetValues()
    if contract.model.task == "multiclass":
        return TargetValues(classes=_classes(labels, contract, faults))
    target, positive = contract.model.target, label_text(contract.model.positive_label)
    others = sorted({*labels} - {positive, None})
    if len(others) > 1:
        listed = ", ".join(map(shown, others[:MOST_SHOWN]))
        faults.append(
            f"{target}: beside the positive label {positive!r} there are {len(others)} values ({listed}), not one; "
            'set task = "multiclass" or "regression" under [model] where that is meant'
        )
    return TargetValues(positive, others[0] if others else OPPOSITE.get(positive, f"not {positive}"))


def _classes(labels: NDArray[np.object_], contract: Contract, faults: list[str]) -> tuple[str, ...]:
    """The contract's classes, or those that the file holds."""
    if contract.model.classes is not None:
        return tuple(label_text(name) for name in contract.model.classes)
    found = sorted({*labels} - {None})
    if len(found) > MOST_CLASSES:
        faults.append(
            f"{contract.model.target}: {len(found)} classes are more than {MOST_CLASSES}; merge rare ones, or set "
            'task = "regression" under [model] where the target is a number'
        )
    if (longest := max(map(len, found), default=0)) > LONGEST_CLASS:
        faults.append(f"{contract.model.target}: a class has {longest} characters; shorten names to {LONGEST_CLASS}")
    return tuple(found)


class Coded(NamedTuple):
    """Labels as training takes them, shape (n,); which of them aren't what the contract says, and what they are."""

    labels: NDArray[Any]
    wrong: NDArray[np.bool_]
    said: str = ""


def coded_labels(labels: NDArray[np.object_], values: TargetValues, contract: Contract) -> Coded:
    """Texts of labels, none of them missing, as 0 and 1, as positions of classes or as numbers."""
    model = contract.model
    if model.task == "binary":
        return Coded(np.asarray(labels == values.positive, dtype=np.int8), np.zeros(len(labels), dtype=bool))
    if model.task == "multiclass":
        known = {name: place for place, name in enumerate(values.classes)}
        codes = np.array([known.get(text, -1) for text in labels], dtype=np.int16)
        # Beyond what a contract takes the file was refused before: see `_classes`.
        return Coded(codes.astype(np.int8), codes < 0, "no class of the contract")
    numbers = np.array([number_of(text) for text in labels], dtype=np.float64)
    low, high = model.minimum, model.maximum
    outside = (numbers < (-np.inf if low is None else low)) | (numbers > (np.inf if high is None else high))
    is_none = np.isnan(numbers)
    limits = ["" if limit is None else str(limit) for limit in (low, high)]
    said = "no finite number" if is_none.any() else f"outside {' to '.join(limits)}"
    return Coded(numbers, is_none if is_none.any() else outside, said)
