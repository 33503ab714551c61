"""Columns of cells: made from Python's values, joined from batches, and turned into text."""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from selfheal.files.texts import text_of

# Beyond it whole numbers that differ become the same float.
LARGEST_EXACT = 2**53
MOMENT = pa.timestamp("us")


def column_of(values: Sequence[Any], decimal: str) -> pa.Array:
    """Values as cells of their one type; as texts, numbers with the given decimal sign, where they have several."""
    kinds = set(map(type, values)) - {type(None)}
    try:
        if kinds <= {str}:
            return pa.array(values, pa.string())
        if kinds == {bool}:
            return pa.array(values, pa.bool_())
        if kinds == {int}:
            return pa.array(values, pa.int64())
        if kinds <= {int, float} and all(abs(v) <= LARGEST_EXACT for v in values if type(v) is int):
            return pa.array(values, pa.float64())
        if kinds <= {date, datetime}:
            return pa.array([None if v is None else _midnight(v) for v in values], MOMENT)
    except (OverflowError, pa.ArrowException):
        pass
    return pa.array([None if value is None else _text(value, decimal) for value in values], pa.string())


def _midnight(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001


def _text(value: object, decimal: str) -> str:
    # A text stays as it is, blanks around it too.
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, dict | list) else text_of(value, decimal)


def joined(parts: Sequence[pa.Array], decimal: str) -> pa.Array:
    """Batches of one column as one; as texts where their types differ by more than whole numbers and fractions."""
    types = {part.type for part in parts if part.null_count < len(part)}
    if not types:
        return pa.nulls(sum(map(len, parts)), pa.string())
    if len(types) == 1:
        (only,) = types
        return _combined([part if part.type == only else pa.nulls(len(part), only) for part in parts])
    if types == {pa.int64(), pa.float64()} and all(_is_exact(part) for part in parts):
        return _combined([part.cast(pa.float64()) for part in parts])
    return _combined([texts(part, decimal) for part in parts])


def _combined(parts: Sequence[pa.Array]) -> pa.Array:
    array = pa.chunked_array(parts).combine_chunks()
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _is_exact(part: pa.Array) -> bool:
    if not pa.types.is_integer(part.type) or part.null_count == len(part):
        return True
    return bool(max(abs(pc.min(part).as_py()), abs(pc.max(part).as_py())) <= LARGEST_EXACT)


def by_value(array: pa.Array, function: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """A function of cells applied to each different one once, and to missing ones as null."""
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    return function(encoded.dictionary).take(encoded.indices)


def values(array: pa.Array) -> list[Any]:
    """The cells as Python's values; equal texts are one object, so that a text that is there often takes room once."""
    if not is_text(array.type):
        return list(array.to_pylist())
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    different = [*encoded.dictionary.to_pylist(), None]
    return [different[code] for code in encoded.indices.fill_null(len(different) - 1).to_pylist()]


def texts(array: pa.Array, decimal: str) -> pa.Array:
    """The cells as texts, of which one is each value's; missing stays null."""
    if is_text(array.type):
        return array
    if pa.types.is_integer(array.type):
        return array.cast(pa.string())
    return by_value(array, lambda cells: pa.array([_stated(v, decimal) for v in cells.to_pylist()], pa.string()))


def _stated(value: object, decimal: str) -> str | None:
    text = text_of(value, decimal)
    return None if value is None or text == "" else text


def is_text(kind: pa.DataType) -> bool:
    """Whether cells are texts, once each or by reference."""
    value: pa.DataType = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_one: bool = value.equals(pa.string()) or value.equals(pa.large_string())
    return is_one
