"""Users' own ids of what they ask about: how one is written, so that it is known again wherever it comes from."""

from typing import Any

from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core import core_schema as schema

# The name under which a request and a label file carry it.
NAME = "id"
MAXIMUM_ID = 200
# From here on a float has gaps: it may stand for another whole number than it was written as.
EXACT_FLOATS = 2**53
ID_EXPECTED = f"Input should be a text of at most {MAXIMUM_ID} characters, a whole number or null"


def external_id(value: Any) -> str | None:
    """An id as text: "7", 7 and 7.0 are one id, "007" is another; None where it is null or blank.

    Raises:
        ValueError: it is no short text and no whole number.
    """
    if value is None:
        return None
    text = _text_of(value)
    if len(text) > MAXIMUM_ID:
        raise ValueError(ID_EXPECTED)
    return text or None


def id_schema() -> CoreSchema:
    """How a row of a request is checked for its id."""
    return schema.no_info_plain_validator_function(_validated)


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    # Python refuses to write integers of thousands of digits.
    if type(value) is int and value.bit_length() <= 4 * MAXIMUM_ID:
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_FLOATS:
        return str(int(value))
    raise ValueError(ID_EXPECTED)


def _validated(value: Any) -> str | None:
    try:
        return external_id(value)
    except ValueError:
        raise PydanticCustomError("external_id", ID_EXPECTED) from None
