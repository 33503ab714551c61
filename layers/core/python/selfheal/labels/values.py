"""What a label may be: one of two values, one of several classes, or a number."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

from selfheal.labels.text import label_text, number_of

type BinaryLabel = Literal[0, 1]
# 0 or 1, a class as users write it, or a number.
type LabelValue = int | float | str

LONGEST_CLASS = 100

COMMON: Mapping[str, BinaryLabel] = {"1": 1, "true": 1, "0": 0, "false": 0}


class Values(Protocol):
    """What labels of a target may be."""

    def of(self, text: str) -> LabelValue | None:
        """The label that a text is; None where it is none."""
        ...


class LabelValues:
    """Looks up a binary target's two values, written as they are or as 0, 1, true and false."""

    def __init__(self, own: Mapping[str, BinaryLabel] | None = None) -> None:
        own = {label_text(name): label for name, label in (own or {}).items()}
        # Where the user's own values contradict the common ones (positive is 0, say), only the own ones are clear.
        contradicted = any(COMMON.get(name.casefold(), label) != label for name, label in own.items())
        self._labels = own if contradicted else {**COMMON, **own}
        self._names = _Names(self._labels)

    def of(self, text: str) -> BinaryLabel | None:
        """1 or 0, None for a value that isn't one of them."""
        name = self._names.written(label_text(text))
        return None if name is None else self._labels[name]

    def __str__(self) -> str:
        return f"one of {', '.join(self._labels)}"


class ClassValues:
    """Looks up the names of classes."""

    def __init__(self, classes: Sequence[str], *, takes_new: bool) -> None:
        self._classes, self._names, self._takes_new = classes, _Names(classes), takes_new

    def of(self, text: str) -> str | None:
        """The class, None for a text that is none; a class that is new stays as it is written."""
        name = label_text(text)
        if not name or len(name) > LONGEST_CLASS:
            return None
        return self._names.written(name) or (name if self._takes_new else None)

    def __str__(self) -> str:
        if self._takes_new:
            return f"a class, whose name has {LONGEST_CLASS} characters at most"
        return f"one of {', '.join(sorted(self._classes))}"


class NumberValues:
    """Reads numbers within a contract's limits."""

    def __init__(self, minimum: float | None, maximum: float | None) -> None:
        self._minimum = -math.inf if minimum is None else minimum
        self._maximum = math.inf if maximum is None else maximum

    def of(self, text: str) -> float | None:
        """The number, None for a text that is none or is outside the limits."""
        number = number_of(text)
        return number if self._minimum <= number <= self._maximum else None

    def __str__(self) -> str:
        if self._minimum == -math.inf and self._maximum == math.inf:
            return "a finite number"
        return f"a number from {self._minimum:g} to {self._maximum:g}"


class _Names:
    """Known names: as they are written, else with case ignored where that leaves no doubt."""

    def __init__(self, names: Collection[str]) -> None:
        folded = Counter(name.casefold() for name in names)
        self._written = {name.casefold(): name for name in names if folded[name.casefold()] == 1}
        self._written |= {name: name for name in names}

    def written(self, name: str) -> str | None:
        return self._written.get(name) or self._written.get(name.casefold())
