"""A contract's row model: what a request may hold, exactly, with every fault named by its field.

The model is built from pydantic's core schemas, not from a class: a contract's names are any strings, and the core
parses and checks a body of ten thousand rows in one pass.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import CoreSchema
from pydantic_core import core_schema as schema

from selfheal.contract.columns import ColumnModel, accepted_names, id_names
from selfheal.contract.model import Contract, Feature
from selfheal.records.external_ids import MAXIMUM_ID, id_schema
from selfheal.rows import RowChecker, is_blank

if TYPE_CHECKING:
    from selfheal.contract.columns import Columns

# One character that `str.strip` leaves, in the words of both Python's regular expressions and the validator's.
VISIBLE = r"[^\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"

type Row = dict[str, float | str | bool | None]

MAXIMUM_ROWS = 10_000
# Where a checked row holds its id; no feature can have such a name.
_ID = "__id"
# Below this size importing and calling numpy costs more than it saves.
LARGE_BODY = 64 * 1024
# The key can't hide in a string: a quote inside one is escaped.
_MANY = re.compile(rb'"rows"\s*:\s*\[')


@dataclass(frozen=True, slots=True)
class Rows:
    """A valid request: its rows under the contract's own names, in its order; `many` where it came as a list.

    `columns` holds the same by feature where the request was large. `ids` are the caller's own ids of the rows, in
    their order; None where no row has one.
    """

    values: list[Row]
    many: bool
    columns: "Columns | None" = None
    ids: list[str | None] | None = None


class RowModel:
    """Checks requests against one contract; numbers of any type come out as finite floats or equal integers."""

    def __init__(self, contract: Contract) -> None:
        self._columns = ColumnModel(contract)
        self._checker = RowChecker(
            _row_schema(contract),
            names=[*accepted_names(contract), *id_names(contract)],
            key="rows",
            maximum=MAXIMUM_ROWS,
            blank_is_null=True,
        )

    def parse(self, body: bytes) -> Rows:
        """The rows of a JSON body: an object of features, or `{"rows": [...]}`.

        Raises:
            RequestInvalid: names the fields at fault.
        """
        many = _MANY.search(body) is not None
        if many and len(body) >= LARGE_BODY and (found := self._columns.parse(body, MAXIMUM_ROWS)) is not None:
            return Rows(found.rows, many=True, columns=found.columns, ids=found.ids)
        return _rows(self._checker.many(body) if many else [self._checker.one(body)], many=many)

    def row(self, value: Any) -> Rows:
        """One row that is parsed already. Raises RequestInvalid."""
        return _rows([self._checker.row(value)], many=False)


def _rows(checked: list[Row], *, many: bool) -> Rows:
    if not any(_ID in row for row in checked):
        return Rows(checked, many)
    return Rows(checked, many, ids=[cast("str | None", row.pop(_ID, None)) for row in checked])


def _row_schema(contract: Contract) -> CoreSchema:
    fields = {name: _field(name, feature) for name, feature in contract.features.items()}
    if names := id_names(contract):
        accepted = [_path(name) for name in names]
        fields[_ID] = schema.typed_dict_field(id_schema(), required=False, validation_alias=accepted)
    return schema.typed_dict_schema(fields, extra_behavior="forbid")


def _field(name: str, feature: Feature) -> schema.TypedDictField:
    accepted = [_path(name), *(_path(alias) for alias in feature.aliases)]
    return schema.typed_dict_field(_value_schema(feature), validation_alias=accepted)


def _path(name: str) -> list[str | int]:
    return [name]


def _value_schema(feature: Feature) -> CoreSchema:
    value = _SCHEMAS[feature.type](feature)
    return schema.nullable_schema(value) if feature.nullable else value


def _number(feature: Feature) -> CoreSchema:
    return schema.float_schema(strict=True, allow_inf_nan=False, ge=feature.minimum, le=feature.maximum)


def _integer(feature: Feature) -> CoreSchema:
    # 3.0 is an integer as JSON sees it; `multiple_of=1` would be inexact for large values.
    whole_float = schema.no_info_after_validator_function(_whole, schema.float_schema(strict=True, allow_inf_nan=False))
    whole = schema.union_schema(
        [schema.int_schema(strict=True), whole_float],
        custom_error_type="whole_number",
        custom_error_message="Input should be a whole number",
    )
    return schema.chain_schema([whole, _number(feature)])


def _whole(value: float) -> float:
    if not value.is_integer():
        raise ValueError
    return value


def _category(feature: Feature) -> CoreSchema:
    if feature.categories is None:
        return schema.str_schema(strict=True, pattern=VISIBLE)
    return schema.literal_schema([category for category in feature.categories if not is_blank(category)])


def _boolean(_: Feature) -> CoreSchema:
    return schema.bool_schema(strict=True)


_SCHEMAS = {"number": _number, "integer": _integer, "category": _category, "boolean": _boolean}


def row_json_schema(contract: Contract) -> dict[str, Any]:
    """The JSON schema of one row, by the contract's own names and descriptions."""
    return {
        "type": "object",
        "title": "Row",
        "required": list(contract.feature_names),
        "additionalProperties": False,
        "properties": {
            **{name: _json_schema(feature) for name, feature in contract.features.items()},
            **_id_json_schema(id_names(contract)),
        },
    }


def _id_json_schema(names: list[str]) -> dict[str, Any]:
    if not names:
        return {}
    also = f" Also accepted as {names[1]}." if names[1:] else ""
    described = f"Your own id of this row, by which its label may come later.{also}"
    return {names[0]: {"type": ["string", "integer", "null"], "maxLength": MAXIMUM_ID, "description": described}}


def _json_schema(feature: Feature) -> dict[str, Any]:
    kind = {"category": "string"}.get(feature.type, feature.type)
    described = {
        "type": [kind, "null"] if feature.nullable else kind,
        "minimum": feature.minimum,
        "maximum": feature.maximum,
        "enum": _enumeration(feature),
        "description": _description(feature),
    }
    return {key: value for key, value in described.items() if value not in (None, "")}


def _enumeration(feature: Feature) -> list[str | None] | None:
    if feature.categories is None:
        return None
    return [*feature.categories, None] if feature.nullable else list(feature.categories)


def _description(feature: Feature) -> str:
    also = f"Also accepted as {', '.join(feature.aliases)}." if feature.aliases else ""
    return ". ".join(part for part in (feature.description.rstrip("."), also) if part)


def example_rows(contract: Contract, typical: Sequence[Row] = ()) -> list[Row]:
    """Rows that the contract accepts, for documentation: the typical ones, or else what its limits allow."""
    return [dict(row) for row in typical] or [
        {name: _example(feature, high=high) for name, feature in contract.features.items()} for high in (False, True)
    ]


def _example(feature: Feature, *, high: bool) -> float | str | bool:
    if feature.is_category:
        known = feature.categories or ("text", "other text")
        return known[-1 if high else 0]
    if feature.type == "boolean":
        return not high
    value = _within(feature, high=high)
    if feature.type == "number":
        return value
    return math.floor(value) if feature.minimum is None else max(math.floor(value), math.ceil(feature.minimum))


def _within(feature: Feature, *, high: bool) -> float:
    """A third or two thirds of the way between the limits; three further where one is missing."""
    low = min(0.0, (feature.maximum or 0.0) - 3) if feature.minimum is None else feature.minimum
    top = low + 3 if feature.maximum is None else feature.maximum
    return low + (top - low) * (2 if high else 1) / 3
