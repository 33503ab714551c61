"""From TOML to a Contract: refused whole, with every fault named by its path in the file."""

import sys
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from selfheal.contract.file_faults import file_faults
from selfheal.contract.model import MODEL_NAME, TRAINER, WITHOUT_NUL, Contract
from selfheal.contract.reading import read_tables
from selfheal.contract.target import target_faults, with_defaults_of_task
from selfheal.errors import ContractInvalid
from selfheal.rows import is_blank

# Columns that the system's own tables hold beside the features (see `selfheal.dataset`).
RESERVED_PREFIX = "__"
# Keys of `[model]` that name a column which is no feature.
ROLES = ("target", "time_column", "id_column")
# In the words of TOML, by pydantic's name of a fault.
SAID = {
    "extra_forbidden": "unknown key; check its spelling",
    "model_type": "should be a table",
    "dict_type": "should be a table",
    "tuple_type": "should be a list",
}
SAID_OF_PATTERN = {
    MODEL_NAME: "should be lower case letters, digits and dashes, 48 at the most",
    TRAINER: "should name a function in a module: package.module:function",
    WITHOUT_NUL: "should not hold a NUL character",
}


def parse_contract(text: str) -> Contract:
    """Read a contract from the text of its TOML file.

    Raises:
        ContractInvalid: with every fault of the file, not just the first.
    """
    raw = with_defaults_of_task(read_tables(text))
    faults = [*_meaning_faults(raw)]
    try:
        contract = Contract.model_validate(raw, extra="forbid")
    except ValidationError as error:
        raise ContractInvalid([*shape_faults(error.errors()), *faults]) from error
    if faults:
        raise ContractInvalid(faults)
    return contract


def default_contract() -> Contract:
    """The default contract: credit risk with the ten features of "Give Me Some Credit"."""
    return parse_contract(files("selfheal.contract").joinpath("credit_risk.toml").read_text(encoding="utf-8"))


def shape_faults(details: list[ErrorDetails]) -> Iterator[str]:
    """One fault a path: a union reports each of its branches below the field, which is what a reader can find."""
    messages: dict[str, list[str]] = {}
    for detail in details:
        location = [str(part) for part in detail["loc"]]
        path = ".".join(location[:-1] if _is_branch(location[-1]) else location)
        messages.setdefault(path, []).append(_said(detail))
    for path, texts in messages.items():
        # A tuple whose only item is at fault also counts as too short; the item's own fault says it all.
        if not any(other.startswith(f"{path}.") for other in messages):
            first, *others = dict.fromkeys(texts)
            yield f"{path}: {' or '.join([first, *(text.removeprefix('input should be ') for text in others)])}"


def _said(detail: ErrorDetails) -> str:
    pattern = detail.get("ctx", {}).get("pattern", "")
    return SAID.get(detail["type"]) or SAID_OF_PATTERN.get(pattern) or _lowered(detail["msg"])


def _is_branch(part: str) -> bool:
    return part in {"int", "str", "bool", "[key]", "ErrorCosts"} or part.startswith(("literal[", "constrained-"))


def _lowered(message: str) -> str:
    return message[0].lower() + message[1:]


def _meaning_faults(raw: dict[str, Any]) -> Iterator[str]:
    """What single fields can't show; runs on the raw file so that these faults come together with the others."""
    features = raw.get("features")
    features = {k: v for k, v in features.items() if isinstance(v, dict)} if isinstance(features, dict) else {}
    for name, feature in features.items():
        yield from _feature_faults(name, feature)
    yield from _name_faults(raw, features)
    yield from target_faults(raw)
    yield from file_faults(raw)
    for index, segment in enumerate(_list(raw.get("segments"))):
        if isinstance(segment, dict):
            yield from _segment_faults(f"segments.{index}", segment, features)


def _feature_faults(name: str, feature: dict[str, Any]) -> Iterator[str]:
    path, kind = f"features.{name}", _text(feature.get("type"))
    low, high = _number(feature.get("minimum")), _number(feature.get("maximum"))
    if low is not None and high is not None and low > high:
        yield f"{path}.minimum: {low} is above maximum {high}"
    if kind in {"category", "boolean"}:
        for key in {"minimum", "maximum"} & feature.keys():
            yield f"{path}.{key}: only number and integer features have limits"
    if kind in {"number", "integer", "boolean"} and "categories" in feature:
        yield f"{path}.categories: only a feature of type category lists its categories"
    if feature.get("categories") == ():
        yield f"{path}.categories: an empty list accepts nothing; leave the key out to accept any string"
    if any(map(is_blank, _list(feature.get("categories")))):
        yield f"{path}.categories: a blank text is a missing value; leave it out and say `nullable = true`"


def _name_faults(raw: dict[str, Any], features: dict[str, dict[str, Any]]) -> Iterator[str]:
    model = raw.get("model")
    model = model if isinstance(model, dict) else {}
    names = Counter(list(features))
    for feature in features.values():
        names.update(alias for alias in _list(feature.get("aliases")) if isinstance(alias, str))
    for name, count in names.items():
        if count > 1:
            yield f"features: the name {name!r} is used {count} times among names and aliases"
        if name.startswith(RESERVED_PREFIX):
            yield f"features.{name}: names that start with {RESERVED_PREFIX!r} are reserved"
    roles = {key: column for key in ROLES if (column := _text(model.get(key)))}
    for key, name in roles.items():
        if name in names:
            yield f"model.{key}: {name!r} is also a feature; a feature can't be the {key}"
    for name in {name for name in roles.values() if list(roles.values()).count(name) > 1}:
        keys = [key for key, other in roles.items() if other == name]
        yield f"model.{keys[-1]}: {name!r} is also the {keys[0]}; each needs a column of its own"


def _segment_faults(path: str, segment: dict[str, Any], features: dict[str, dict[str, Any]]) -> Iterator[str]:
    feature, edges = segment.get("feature"), segment.get("edges", [])
    if not isinstance(feature, str):
        return
    if feature not in features:
        yield f"{path}.feature: no feature is called {feature!r}"
        return
    is_numeric = _text(features[feature].get("type")) in {"number", "integer"}
    if is_numeric and not edges:
        yield f"{path}.edges: a numeric feature needs bin edges"
    if not is_numeric and edges:
        yield f"{path}.edges: only a numeric feature is binned"
    numbers = [number for edge in _list(edges) if (number := _number(edge)) is not None]
    if numbers != sorted(set(numbers)):
        yield f"{path}.edges: edges must rise strictly"


def _list(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else ()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    """A number that a float can hold; the others are faults of their own."""
    return value if isinstance(value, int | float) and abs(value) <= sys.float_info.max else None
