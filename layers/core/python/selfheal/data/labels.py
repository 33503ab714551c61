"""The label column of a user's file: one text a value, and which two values there are."""

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from selfheal.contract.model import Contract, FileSection
from selfheal.files.cells import is_blank
from selfheal.files.columns import texts, values
from selfheal.files.texts import shown

MOST_SHOWN = 5
# Digits of this script, and no more of them than any label has.
WHOLE = re.compile(r"([+-]?[0-9]{1,40})(?:\.0*)?")
NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
OPPOSITE = {"1": "0", "true": "false"}


class TargetValues(NamedTuple):
    """The label's two values in the user's own terms, as text."""

    positive: str
    negative: str


def label_text(value: object) -> str:
    """A label value as text, one text a value: 1, 1.0 and "1" are the same, and so are true and True."""
    text = str(value).strip()
    if text.lower() in {"true", "false"}:
        return text.lower()
    if found := WHOLE.fullmatch(text):
        return str(int(found[1]))
    return str(float(text)) if NUMBER.fullmatch(text) else text


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
    """The positive value and the one beside it; `faults` gains that there are several."""
    target, positive = contract.model.target, label_text(contract.model.positive_label)
    others = sorted({*labels} - {positive, None})
    if len(others) > 1:
        listed = ", ".join(map(shown, others[:MOST_SHOWN]))
        faults.append(
            f"{target}: beside the positive label {positive!r} there are {len(others)} values ({listed}), not one"
        )
    return TargetValues(positive, others[0] if others else OPPOSITE.get(positive, f"not {positive}"))
