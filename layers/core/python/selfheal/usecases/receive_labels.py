"""A small batch of labels sent to the API becomes an upload like any other, so that labels have one way in."""

import hashlib

import orjson
from pydantic_core import SchemaValidator, ValidationError
from pydantic_core import core_schema as schema

from selfheal.faults import request_invalid
from selfheal.records.labels import Receipt
from selfheal.records.predictions import PREDICTION_ID
from selfheal.stores.labels import LabelStore

MAXIMUM_LABELS = 10_000

_TEXT = schema.typed_dict_field(schema.str_schema(strict=True, max_length=200), required=False)
_VALUE = schema.union_schema(
    [
        schema.str_schema(strict=True, max_length=200),
        schema.float_schema(strict=True, allow_inf_nan=False),
        schema.bool_schema(strict=True),
    ],
    custom_error_type="label",
    custom_error_message="Input should be a short string, a number or a boolean",
)
_ROW = schema.typed_dict_schema(
    {
        "prediction_id": schema.typed_dict_field(schema.str_schema(strict=True, pattern=PREDICTION_ID)),
        "label": schema.typed_dict_field(_VALUE),
        "label_timestamp": _TEXT,
        "source": _TEXT,
    },
    extra_behavior="forbid",
)
_BATCH = SchemaValidator(
    schema.typed_dict_schema(
        {"labels": schema.typed_dict_field(schema.list_schema(_ROW, min_length=1, max_length=MAXIMUM_LABELS))},
        extra_behavior="forbid",
    )
)


def receive_labels(labels: LabelStore, body: bytes) -> Receipt:
    """Store `{"labels": [...]}` as a file of `labels/incoming/`; the same batch twice is one file.

    Raises:
        RequestInvalid: names every field at fault.
        StoreUnavailable: nothing was taken.
    """
    try:
        rows = _BATCH.validate_json(body)["labels"]
    except ValidationError as error:
        raise request_invalid(error) from None
    lines = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    name = f"api/{hashlib.sha256(lines).hexdigest()}.jsonl"
    labels.receive(name, lines)
    return Receipt(upload=name, rows=len(rows))
