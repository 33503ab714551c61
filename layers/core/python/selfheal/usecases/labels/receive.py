"""A small batch of labels sent to the API becomes an upload like any other, so that labels have one way in."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from pydantic_core import core_schema as schema

from selfheal.errors import FieldFault, RequestInvalid
from selfheal.files.texts import text_of
from selfheal.labels.checks import checked_label
from selfheal.labels.rows import UploadedRow
from selfheal.labels.terms import FROM_API, LabelTerms
from selfheal.records.external_ids import id_schema
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
        "prediction_id": schema.typed_dict_field(schema.str_schema(strict=True, pattern=PREDICTION_ID), required=False),
        "id": schema.typed_dict_field(id_schema(), required=False),
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


def check_labels(rows: Sequence[LabelRow], terms: LabelTerms, now: datetime) -> None:
    """Refuse at once what would be refused later: what is wrong in itself, whatever was predicted.

    Raises:
        RequestInvalid: names the fields at fault.
    """
    faults = [
        FieldFault(f"labels.{number}.{fault.field}", fault.message)
        for number, row in enumerate(rows)
        for fault in _faults(row, terms, now)
    ]
    if faults:
        raise RequestInvalid(faults)


def _faults(row: LabelRow, terms: LabelTerms, now: datetime) -> Iterable[FieldFault]:
    if row.get("id") is not None and terms.id_column is None:
        yield FieldFault("id", "is not known here: production's contract names no id_column")
    cells = {name: text_of(row.get(name)) for name in _ROW["fields"]}
    yield from checked_label(UploadedRow(0, **cells), terms.values, now, "").faults


def receive_labels(labels: LabelStore, rows: Sequence[LabelRow], request_id: str) -> Receipt:
    """Store a request's rows as a file of `labels/incoming/`; a retry under the same request id is the same file.

    A label without a time is as of the request, and that is written down, however often the file is taken in.

    Raises:
        StoreUnavailable: nothing was taken.
    """
    moment = timestamp_of(moment_of(request_id))
    dated = [{**row, "label_timestamp": row.get("label_timestamp") or moment} for row in rows]
    name = f"{FROM_API}{request_id}.jsonl"
    labels.receive(name, b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in dated))
    return Receipt(upload=name, rows=len(rows))
