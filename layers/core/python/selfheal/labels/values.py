"""What a label may be called: 0 and 1, true and false, or the user's own two values."""

from collections.abc import Mapping
from typing import Literal

from selfheal.files.texts import text_of

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


def _folded(text: str) -> str:
    stripped = text.strip().casefold()
    try:
        return text_of(float(stripped))
    except ValueError:
        return stripped
