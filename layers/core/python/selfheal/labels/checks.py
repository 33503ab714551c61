"""What makes a label right or wrong in itself, by whichever way it comes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from selfheal.errors import FieldFault
from selfheal.labels.rows import UploadedRow
from selfheal.labels.values import LabelValue, Values
from selfheal.prefixes import KEPT
from selfheal.records.external_ids import ID_EXPECTED, external_id
from selfheal.records.labels import Label, LabelById
from selfheal.records.predictions import is_prediction_id, moment_of

# So far may the clock of whoever dates a label be ahead of that of S3.
CLOCK_SKEW = timedelta(minutes=5)
TOO_OLD = f"is of a time more than {KEPT.days} days before the upload: no prediction is kept so long"


class Checked(NamedTuple):
    """A row's label, or every reason why there is none."""

    label: Label | LabelById | None
    faults: list[FieldFault]


def checked_label(row: UploadedRow, values: Values, uploaded_at: datetime, upload: str) -> Checked:
    """The label of a row. One without a time gets the time of the upload; one with a prediction's id needs no other."""
    value, moment = values.of(row.label), _moment(row.label_timestamp, uploaded_at)
    faults = [
        *_key_faults(row, uploaded_at),
        *_value_faults(row, value, values),
        *_time_faults(moment, uploaded_at, is_by_id=not row.prediction_id),
    ]
    if faults or value is None or moment is None:
        return Checked(None, faults)
    facts: dict[str, Any] = {
        "label": value,
        "label_timestamp": moment,
        "received_at": uploaded_at,
        "source": row.source,
    }
    if row.prediction_id:
        return Checked(Label(prediction_id=row.prediction_id, **facts), [])
    return Checked(LabelById(id=row.id.strip(), upload=upload, line=row.line, **facts), [])


def _key_faults(row: UploadedRow, uploaded_at: datetime) -> Iterator[FieldFault]:
    if row.prediction_id:
        yield from _prediction_faults(row.prediction_id, uploaded_at)
    elif not row.id:
        yield FieldFault("prediction_id", "is empty")
    else:
        try:
            external_id(row.id)
        except ValueError:
            yield FieldFault("id", f"is none: {ID_EXPECTED}")


def _prediction_faults(key: str, uploaded_at: datetime) -> Iterator[FieldFault]:
    if not is_prediction_id(key):
        yield FieldFault("prediction_id", "is not one that this service gives out")
    elif moment_of(key) > uploaded_at + CLOCK_SKEW:
        yield FieldFault("prediction_id", "is of a time after the upload")
    elif moment_of(key) < uploaded_at - KEPT:
        yield FieldFault("prediction_id", TOO_OLD)


def _value_faults(row: UploadedRow, value: LabelValue | None, values: Values) -> Iterator[FieldFault]:
    if not row.label:
        yield FieldFault("label", "is empty")
    elif value is None:
        yield FieldFault("label", f"is not {values}")


def _time_faults(moment: datetime | None, uploaded_at: datetime, *, is_by_id: bool) -> Iterator[FieldFault]:
    if moment is None:
        yield FieldFault("label_timestamp", "is not a time in ISO 8601, nor as the contract's [file] says")
    elif moment > uploaded_at + CLOCK_SKEW:
        # It would hold against every correction until that time has come.
        yield FieldFault("label_timestamp", "is later than the upload (without a zone it is in UTC)")
    elif is_by_id and moment < uploaded_at - KEPT:
        # It means a prediction of about that time.
        yield FieldFault("label_timestamp", TOO_OLD)


def _moment(text: str, uploaded_at: datetime) -> datetime | None:
    """Times without a zone are in UTC."""
    if not text:
        return uploaded_at
    try:
        moment = datetime.fromisoformat(text)
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
