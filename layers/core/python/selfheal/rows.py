"""Rows of JSON against a schema: a right body in one pass, a wrong one row by row until there are faults enough.

The schema's own validator would gather every fault there is, and a body of five megabytes can have so many that they
take a gigabyte.
"""

from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import Any

from pydantic_core import CoreSchema, SchemaValidator, ValidationError, from_json
from pydantic_core import core_schema as schema

from selfheal.errors import MAXIMUM_FAULTS, FieldFault, RequestInvalid
from selfheal.faults import faults_of

# A row of a smaller body can't have so many faults that gathering them matters.
SMALL_BODY = 64 * 1024

type Checked = dict[str, Any]


class RowChecker:
    """Checks one row, or an object that holds a list of rows under `key`; a row is an object with some of `names`.

    With `blank_is_null` a text without any character to see counts as null. The schema must refuse such a text: only
    what is refused at first is looked at again.
    """

    def __init__(
        self, row: CoreSchema, *, names: Iterable[str], key: str, maximum: int, blank_is_null: bool = False
    ) -> None:
        self._row = SchemaValidator(row)
        self._names = frozenset(names)
        self._key = key
        self._blank_is_null = blank_is_null
        self._whole = SchemaValidator(_listed(key, row, maximum))
        self._list = SchemaValidator(_listed(key, schema.any_schema(), maximum))

    def one(self, body: bytes) -> Checked:
        """The row that a body is.

        Raises:
            RequestInvalid: names the first fields at fault.
        """
        if len(body) < SMALL_BODY:
            with suppress(ValidationError):
                row: Checked = self._row.validate_json(body)
                return row
        return self.row(self._parsed(body))

    def row(self, value: Any) -> Checked:
        """The row that a parsed value is. Raises RequestInvalid."""
        return _checked(self._row, self._plain(value))

    def many(self, body: bytes) -> list[Checked]:
        """The rows that a body holds.

        Raises:
            RequestInvalid: names the first fields at fault.
        """
        if len(body) < SMALL_BODY:
            with suppress(ValidationError):
                rows: list[Checked] = self._whole.validate_json(body)[self._key]
                return rows
        return self._row_by_row(_checked(self._list, _shortened(self._parsed(body), {self._key}))[self._key])

    def _parsed(self, body: bytes) -> Any:
        try:
            parsed = from_json(body)
        except ValueError as error:
            raise RequestInvalid([FieldFault("", f"Invalid JSON: {error}")]) from None
        shape = f'{{"{self._key}": [...]}}'
        if isinstance(parsed, list):
            raise RequestInvalid([FieldFault("", f"Input should be an object: send a list of rows as {shape}")])
        if (
            isinstance(parsed, dict)
            and self._key not in self._names
            and not isinstance(parsed.get(self._key, []), list)
        ):
            raise RequestInvalid([FieldFault(self._key, f"Input should be a valid array, as in {shape}")])
        return parsed

    def _row_by_row(self, rows: list[Any]) -> list[Checked]:
        checked: list[Checked] = []
        faults: list[FieldFault] = []
        for number, row in enumerate(rows):
            try:
                checked.append(self._row.validate_python(self._plain(row)))
            except ValidationError as error:
                faults += faults_of(error, self._key, number)
                if len(faults) >= MAXIMUM_FAULTS:
                    break
        if faults:
            raise RequestInvalid(faults)
        return checked

    def _plain(self, row: Any) -> Any:
        short = _shortened(row, self._names)
        if not self._blank_is_null or not isinstance(short, dict):
            return short
        return {name: None if is_blank(value) else value for name, value in short.items()}


def is_blank(value: Any) -> bool:
    """Whether a value is a text without any character to see, as an empty cell of a table is."""
    return isinstance(value, str) and not value.strip()


def _checked(validator: SchemaValidator, value: Any) -> Checked:
    try:
        checked: Checked = validator.validate_python(value)
    except ValidationError as error:
        raise RequestInvalid(faults_of(error)) from None
    return checked


def _listed(key: str, row: CoreSchema, maximum: int) -> CoreSchema:
    rows = schema.list_schema(row, min_length=1, max_length=maximum, fail_fast=True)
    return schema.typed_dict_schema({key: schema.typed_dict_field(rows)}, extra_behavior="forbid")


def _shortened(row: Any, names: Iterable[str]) -> Any:
    """An object with what is known of it, and no more unknown fields than are told."""
    if not isinstance(row, dict) or len(row) <= MAXIMUM_FAULTS:
        return row
    unknown = islice((name for name in row if name not in names), MAXIMUM_FAULTS)
    return {name: row[name] for name in (*names, *unknown) if name in row}
