"""From TOML to a Contract: refused whole, with every fault named by its path in the file."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from selfheal.contract.file_faults import file_faults
from selfheal.contract.model import Contract
from selfheal.errors import ContractInvalid

# Columns that the system's own tables hold beside the features (see `selfheal.dataset`).
RESERVED_PREFIX = "__"
# In the words of TOML, by pydantic's name of a fault.
SAID = {
    "extra_forbidden": "unknown key; check its spelling",
    "model_type": "should be a table",
    "dict_type": "should be a table",
    "tuple_type": "should be a list",
    "string_pattern_mismatch": "should be lower case letters, digits and dashes, 48 at the most",
}


def parse_contract(text: str) -> Contract:
    """Read a contract from the text of its TOML file.

    Raises:
        ContractInvalid: with every fault of the file, not just the first.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ContractInvalid([f"not TOML: {error}"]) from error
    faults = [*_meaning_faults(raw)]
    try:
        contract = Contract.model_validate(_with_tuples(raw))
    except ValidationError as error:
        raise ContractInvalid([*shape_faults(error.errors()), *faults]) from error
    if faults:
        raise ContractInvalid(faults)
    return contract


def default_contract() -> Contract:
    """The default contract: credit risk with the ten features of "Give Me Some Credit"."""
    return parse_contract(files("selfheal.contract").joinpath("credit_risk.toml").read_text(encoding="utf-8"))


def _with_tuples(value: Any) -> Any:
    """Strict records take tuples where TOML gives lists."""
    if isinstance(value, dict):
        return {key: _with_tuples(item) for key, item in value.items()}
    return tuple(_with_tuples(item) for item in value) if isinstance(value, list) else value


def shape_faults(details: list[ErrorDetails]) -> Iterator[str]:
    """One fault a path: a union reports each of its branches below the field, which is what a reader can find."""
    messages: dict[str, list[str]] = {}
    for detail in details:
        location = [str(part) for part in detail["loc"]]
        path = ".".join(location[:-1] if _is_branch(location[-1]) else location)
        messages.setdefault(path, []).append(SAID.get(detail["type"]) or _lowered(detail["msg"]))
    for path, texts in messages.items():
        # A tuple whose only item is at fault also counts as too short; the item's own fault says it all.
        if not any(other.startswith(f"{path}.") for other in messages):
            first, *others = dict.fromkeys(texts)
            yield f"{path}: {' or '.join([first, *(text.removeprefix('input should be ') for text in others)])}"


def _is_branch(part: str) -> bool:
    return part in {"int", "str", "bool"} or part.startswith(("literal[", "constrained-"))


def _lowered(message: str) -> str:
    return message[0].lower() + message[1:]


def _meaning_faults(raw: dict[str, Any]) -> Iterator[str]:
    """What single fields can't show; runs on the raw file so that these faults come together with the others."""
    features = raw.get("features")
    features = {k: v for k, v in features.items() if isinstance(v, dict)} if isinstance(features, dict) else {}
    for name, feature in features.items():
        yield from _feature_faults(name, feature)
    yield from _name_faults(raw, features)
    yield from file_faults(raw)
    segments = raw.get("segments")
    for index, segment in enumerate(segments if isinstance(segments, list) else []):
        if isinstance(segment, dict):
            yield from _segment_faults(f"segments.{index}", segment, features)


def _feature_faults(name: str, feature: dict[str, Any]) -> Iterator[str]:
    path, kind = f"features.{name}", feature.get("type")
    low, high = feature.get("minimum"), feature.get("maximum")
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        yield f"{path}.minimum: {low} is above maximum {high}"
    if kind in {"category", "boolean"}:
        for key in {"minimum", "maximum"} & feature.keys():
            yield f"{path}.{key}: only number and integer features have limits"
    if kind in {"number", "integer", "boolean"} and "categories" in feature:
        yield f"{path}.categories: only a feature of type category lists its categories"
    categories = feature.get("categories")
    if isinstance(categories, list) and not categories:
        yield f"{path}.categories: an empty list accepts nothing; leave the key out to accept any string"


def _name_faults(raw: dict[str, Any], features: dict[str, dict[str, Any]]) -> Iterator[str]:
    model = raw.get("model")
    model = model if isinstance(model, dict) else {}
    names = Counter(list(features))
    for feature in features.values():
        aliases = feature.get("aliases")
        names.update(alias for alias in (aliases if isinstance(aliases, list) else []) if isinstance(alias, str))
    for name, count in names.items():
        if count > 1:
            yield f"features: the name {name!r} is used {count} times among names and aliases"
        if name.startswith(RESERVED_PREFIX):
            yield f"features.{name}: names that start with {RESERVED_PREFIX!r} are reserved"
    for key in ("target", "time_column"):
        if model.get(key) in features:
            yield f"model.{key}: {model[key]!r} is also a feature; a feature can't be the {key}"


def _segment_faults(path: str, segment: dict[str, Any], features: dict[str, dict[str, Any]]) -> Iterator[str]:
    feature, edges = segment.get("feature"), segment.get("edges", [])
    if not isinstance(feature, str):
        return
    if feature not in features:
        yield f"{path}.feature: no feature is called {feature!r}"
        return
    is_numeric = features[feature].get("type") in {"number", "integer"}
    if is_numeric and not edges:
        yield f"{path}.edges: a numeric feature needs bin edges"
    if not is_numeric and edges:
        yield f"{path}.edges: only a numeric feature is binned"
    numbers = [edge for edge in edges if isinstance(edge, int | float)] if isinstance(edges, list) else []
    if numbers != sorted(set(numbers)):
        yield f"{path}.edges: edges must rise strictly"
