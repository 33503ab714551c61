"""What a label may be called: 0 and 1, true and false, or the user's own two values."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

type BinaryLabel = Literal[0, 1]

COMMON: Mapping[str, BinaryLabel] = {"1": 1, "true": 1, "0": 0, "false": 0}


class LabelValues:
    """Looks up label texts, case and spaces around them ignored."""

    def __init__(self, own: Mapping[str, BinaryLabel] | None = None) -> None:
        named = {_folded(text): label for text, label in (own or {}).items()}
        # Where the user's own values contradict the common ones (positive is 0, say), only the own ones are clear.
        contradicted = any(COMMON.get(text, label) != label for text, label in named.items())
        self._labels = named if contradicted else {**COMMON, **named}

    def of(self, text: str) -> BinaryLabel | None:
        """1 or 0, None for a value that isn't one of them."""
        return self._labels.get(_folded(text))

    def __str__(self) -> str:
        return ", ".join(self._labels)


def text_of(value: object) -> str:
    """A cell as text: whole floats without their decimals, so that 1, 1.0 and "1" are one value; missing is empty."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return "" if math.isnan(value) else str(int(value)) if value.is_integer() else str(value)
        case datetime():
            return value.isoformat()
        case _:
            return str(value).strip()


def _folded(text: str) -> str:
    stripped = text.strip().casefold()
    try:
        return text_of(float(stripped))
    except ValueError:
        return stripped
