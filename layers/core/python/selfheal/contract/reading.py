"""The tables of a contract's TOML text; what tomllib can't read is a fault that says where it stands."""

import re
import sys
import tomllib
from typing import Any

from selfheal.errors import ContractInvalid

# Deeper than any contract by far, and far from the depth at which Python gives up.
MAXIMUM_DEPTH = 20
TABLE = re.compile(r"^\s*\[+\s*([^\[\]]+?)\s*\]+")
KEY = re.compile(r"^\s*([^=\[\]#]+?)\s*=")
OPENING = re.compile(r"[\[{.]")
# A key of so many parts takes tomllib seconds.
LONG_KEY = re.compile(rf"^[\s\[]*(?:[\w-]+\s*\.\s*){{{MAXIMUM_DEPTH},}}", re.MULTILINE)


def read_tables(text: str) -> dict[str, Any]:
    """What the text holds, lists as tuples.

    Raises:
        ContractInvalid: it isn't TOML, or nests more deeply or has a longer number than anybody means.
    """
    try:
        tables: dict[str, Any] = _as_tuples(_loaded(text), MAXIMUM_DEPTH)
    except tomllib.TOMLDecodeError as error:
        raise ContractInvalid([f"not TOML: {error}"]) from error
    except RecursionError as error:
        deepest = max(text.splitlines(), key=lambda line: len(OPENING.findall(line)))
        raise ContractInvalid([f"{_place_of(deepest, text)}: tables or lists are nested too deeply"]) from error
    except ValueError as error:  # Python reads no longer numbers
        longest = max(text.splitlines(), key=lambda line: max(map(len, re.findall(r"[\d_]+", line)), default=0))
        told = f"the number has more than {sys.get_int_max_str_digits():,} digits"
        raise ContractInvalid([f"{_place_of(longest, text)}: {told}"]) from error
    return tables


def _loaded(text: str) -> dict[str, Any]:
    if LONG_KEY.search(text):
        raise RecursionError
    return tomllib.loads(text)


def _as_tuples(value: Any, depth: int) -> Any:
    """Strict records take tuples where TOML gives lists."""
    if isinstance(value, dict | list) and depth == 0:
        raise RecursionError
    if isinstance(value, dict):
        return {key: _as_tuples(item, depth - 1) for key, item in value.items()}
    return tuple(_as_tuples(item, depth - 1) for item in value) if isinstance(value, list) else value


def _place_of(line: str, text: str) -> str:
    """The path of the key on a line, as far as the lines before it tell, and its number."""
    lines = text.splitlines()
    number = lines.index(line)
    tables = [found[1] for each in lines[: number + 1] if (found := TABLE.match(each))]
    key = KEY.match(line)
    path = ".".join([*tables[-1:], *([key[1]] if key else [])])
    return f"{path} (line {number + 1})" if path else f"line {number + 1}"
