"""A small batch of labels sent to the API becomes an upload like any other, so that labels have one way in."""

from collections.abc import Sequence
from typing import Any

import orjson
from pydantic_core import core_schema as schema

from selfheal.records.labels import Receipt
from selfheal.records.predictions import PREDICTION_ID, moment_of, timestamp_of
from selfheal.rows import RowChecker
from selfheal.stores.labels import LabelStore

type LabelRow = dict[str, Any]

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
_LABELS = RowChecker(_ROW, names=_ROW["fields"], key="labels", maximum=MAXIMUM_LABELS)


def label_rows(body: bytes) -> list[LabelRow]:
    """The rows of `{"labels": [...]}`.

    Raises:
        RequestInvalid: names the fields at fault.
    """
    return _LABELS.many(body)


def receive_labels(labels: LabelStore, rows: Sequence[LabelRow], request_id: str) -> Receipt:
    """Store a request's rows as a file of `labels/incoming/`; a retry under the same request id is the same file.

    A label without a time is as of the request, and that is written down, however often the file is taken in.

    Raises:
        StoreUnavailable: nothing was taken.
    """
    moment = timestamp_of(moment_of(request_id))
    dated = [{**row, "label_timestamp": row.get("label_timestamp") or moment} for row in rows]
    name = f"api/{request_id}.jsonl"
    labels.receive(name, b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in dated))
    return Receipt(upload=name, rows=len(rows))
