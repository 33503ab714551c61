"""Hive's types, as Glue's catalogue writes them, of what records hold; and names that Athena's columns can have."""

from collections.abc import Collection, Iterable
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from selfheal.errors import ContractInvalid

LONGEST_NAME = 255
# The column by which files are sorted into folders.
DAY = "dt"
# Hive takes these for its own in lists of columns.
UNUSABLE = ",:;\n\r"
# Moments are texts in JSON: ISO 8601 in UTC.
SIMPLE: dict[Any, str] = {bool: "boolean", int: "bigint", float: "double", str: "string", AwareDatetime: "string"}


def columns_of_record(record: type[BaseModel], *, leaving_out: Collection[str] = ()) -> dict[str, str]:
    """Name and type of each field of a record; fields of the names that are left out aren't there at any depth."""
    fields = record.model_fields.items()
    return {name: type_of(about.annotation, leaving_out) for name, about in fields if name not in leaving_out}


def type_of(annotation: Any, leaving_out: Collection[str] = ()) -> str:
    """The type of a field's values. Raises TypeError where none of Hive's is like it."""
    kind, arguments = get_origin(annotation), get_args(annotation)
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    if kind in {Union, UnionType}:
        return _only({type_of(each, leaving_out) for each in arguments if each is not NoneType}, annotation)
    if kind is Literal:
        return _only({SIMPLE[type(each)] for each in arguments}, annotation)
    if kind is tuple:
        return f"array<{_only({type_of(each, leaving_out) for each in arguments if each is not ...}, annotation)}>"
    if hasattr(annotation, "__metadata__"):
        return type_of(arguments[0], leaving_out)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = columns_of_record(annotation, leaving_out=leaving_out)
        return f"struct<{','.join(f'{name}:{each}' for name, each in fields.items())}>"
    raise TypeError(f"no type of Hive's is like {annotation}")


def column_names(features: Iterable[str]) -> dict[str, str]:
    """The column of each feature: Athena knows small letters alone, and finds Parquet's columns whatever their case.

    Raises:
        ContractInvalid: a feature's name can't be a column's, or two differ in case alone.
    """
    names = {feature: feature.lower() for feature in features}
    taken = list(names.values())
    faults = [
        f"features.{feature}: {fault}, and Athena's tables have no such columns: rename it, or turn `queries` off"
        for feature, name in names.items()
        for fault in _faults_of(name, taken.count(name))
    ]
    if faults:
        raise ContractInvalid(faults)
    return names


def _faults_of(name: str, times: int) -> list[str]:
    found = {
        "it differs from another in case alone": times > 1,
        "its name is that of the column of days": name == DAY,
        f"its name is longer than {LONGEST_NAME} bytes": len(name.encode()) > LONGEST_NAME,
        "its name has a comma, a colon, a semicolon or a line break": any(sign in name for sign in UNUSABLE),
    }
    return [fault for fault, is_so in found.items() if is_so]


def _only(kinds: set[str], annotation: Any) -> str:
    if len(kinds) > 1:
        raise TypeError(f"{annotation} has values of several types: {', '.join(sorted(kinds))}")
    return kinds.pop()
