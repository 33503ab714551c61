"""What the parser asks of every value of the file; the first thing that is off refuses the file, by its path."""

import math
from collections.abc import Set as AbstractSet
from typing import Any

from selfheal.errors import ArtefactRefused

NUMBER_TYPES = {int, float}


def refuse(path: str, problem: str) -> ArtefactRefused:
    """The error to raise for a value of the file."""
    return ArtefactRefused(f"model.json is not sound at {path}: {problem}; write the version again or roll back")


def table(value: Any, path: str, keys: set[str], optional: AbstractSet[str] = frozenset()) -> dict[str, Any]:
    """An object with exactly these keys, and perhaps some of the optional ones."""
    if type(value) is not dict:
        raise refuse(path, "not an object")
    if value.keys() - optional != keys:
        raise refuse(path, f"has the keys {sorted(value)}, not {sorted(keys)}")
    return value


def items(value: Any, path: str) -> list[Any]:
    """A list."""
    if type(value) is not list:
        raise refuse(path, "not a list")
    return value


def text(value: Any, path: str) -> str:
    """A string."""
    if type(value) is not str:
        raise refuse(path, "not a string")
    return value


def number(value: Any, path: str) -> float:
    """A finite number."""
    if type(value) not in NUMBER_TYPES or not math.isfinite(value):
        raise refuse(path, "not a finite number")
    return float(value)


def numbers(value: Any, path: str) -> list[float]:
    """A list of finite numbers."""
    found = items(value, path)
    if not set(map(type, found)) <= NUMBER_TYPES or not all(map(math.isfinite, found)):
        raise refuse(path, "not a list of finite numbers")
    return list(map(float, found))


def integers(value: Any, path: str, low: int, high: int) -> list[int]:
    """A list of integers, each in [low, high)."""
    found = items(value, path)
    if found and not (set(map(type, found)) == {int} and low <= min(found) and max(found) < high):
        raise refuse(path, f"not a list of integers in [{low}, {high})")
    return found


def integer(value: Any, path: str, low: int, high: int) -> int:
    """An integer in [low, high)."""
    return integers([value], path, low, high)[0]


def of_length(found: list[Any], path: str, length: int) -> None:
    """Refuses a list of another length."""
    if len(found) != length:
        raise refuse(path, f"has {len(found)} items where {length} belong")
