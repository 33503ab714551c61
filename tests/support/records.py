"""Examples of every record, made from its fields: what a later release would write is made from them."""

import builtins
import collections.abc
import importlib
import json
import pkgutil
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel

import selfheal.records
from selfheal.contract.model import TRAINER, FileSection
from selfheal.records.base import Record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SCALARS = {str: "text", int: 1, float: 0.25, bool: True, datetime: NOON, AwareDatetime: NOON, Any: "any"}
# What stands there has to be a sign, an encoding, a zone.
SCALARS[FileSection] = FileSection()
PATTERNED = {TRAINER: "package.module:function"}
ADDED = {"added_later": {"by": "a release of the future"}}


def every_record() -> list[type[Record]]:
    """All kinds of record that the library defines, by name."""
    for module in pkgutil.iter_modules(selfheal.records.__path__):
        importlib.import_module(f"selfheal.records.{module.name}")
    return sorted(_kinds(Record), key=lambda kind: kind.__name__)


def example_of(kind: type[BaseModel]) -> BaseModel:
    """One with every field set, optional ones too; lists and mappings hold one item."""
    fields = {name: field for name, field in kind.model_fields.items() if name != "schema_version"}
    return kind(**{name: _value(field.rebuild_annotation()) for name, field in fields.items()})


def of_the_future(record: BaseModel, *, schema_version: int | None = None) -> bytes:
    """A record as a later release writes it: a field more in each part, or another schema version."""
    content = record.model_dump(mode="json")
    _advance(record, content, ADDED if schema_version is None else {"schema_version": schema_version})
    return json.dumps(content).encode()


def _advance(record: Any, content: Any, change: dict[str, Any]) -> None:
    if isinstance(record, BaseModel):
        for name in content.keys() & type(record).model_fields.keys():
            _advance(getattr(record, name), content[name], change)
        content.update(change)
    elif isinstance(record, tuple):
        for part, written in zip(record, content, strict=True):
            _advance(part, written, change)
    elif isinstance(record, dict):
        for name, part in record.items():
            _advance(part, content[name], change)


def _kinds(kind: type[Record]) -> Iterator[type[Record]]:
    for each in kind.__subclasses__():
        if each.__module__.startswith("selfheal.records."):
            yield each
        yield from _kinds(each)


def _value(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in SCALARS:
        return example_of(annotation)
    aliased = getattr(annotation, "__value__", annotation)
    arguments = typing.get_args(aliased)
    match typing.get_origin(aliased):
        case None:
            return SCALARS[aliased]
        case typing.Literal:
            return arguments[0]
        case builtins.tuple:
            return tuple(_value(each) for each in arguments if each is not ...)
        case builtins.dict | collections.abc.Mapping:
            return {_value(arguments[0]): _value(arguments[1])}
        case _:  # of a union the first, of an annotated type what is annotated, as often as it must be there
            found = _patterned(arguments[1:]) or _value(arguments[0])
            return found * _least(arguments[1:]) if isinstance(found, tuple) else found


def _patterned(annotations: tuple[Any, ...]) -> str | None:
    """A text of the pattern that is asked for, where "text" isn't one."""
    found = {getattr(part, "pattern", None) for each in annotations for part in getattr(each, "metadata", ())}
    return next((text for pattern, text in PATTERNED.items() if pattern in found), None)


def _least(annotations: tuple[Any, ...]) -> int:
    lengths = [
        found.min_length
        for each in annotations
        for found in getattr(each, "metadata", ())
        if hasattr(found, "min_length")
    ]
    return max([1, *lengths])
