"""A label as text: one text a value, however it was written; and the number that a text is."""

import math
import re

from selfheal.files.texts import text_of

# Digits of this script, and no more of them than any label has.
WHOLE = re.compile(r"([+-]?[0-9]{1,40})(?:\.0*)?")
NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


def label_text(value: object) -> str:
    """A label value as text, one text a value: 1, 1.0, 1e0 and "1" are the same, and so are true and True."""
    text = str(value).strip()
    if text.lower() in {"true", "false"}:
        return text.lower()
    if found := WHOLE.fullmatch(text):
        return str(int(found[1]))
    number = number_of(text)
    return text_of(number) if math.isfinite(number) else text


def number_of(text: str) -> float:
    """The finite number that a text is, NaN for any other text."""
    if NUMBER.fullmatch(text.strip()) is None:
        return math.nan
    number = float(text)
    return number if math.isfinite(number) else math.nan
