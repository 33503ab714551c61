"""An upload becomes labels: row by row, with a reason for each row that is refused, and twice is like once.

An upload says its labels as of their own times, or as of the moment of the upload where they have none. So an event
that comes twice says the same thing twice, which changes nothing; a later upload says something new, whatever it holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from selfheal.contract.model import FileSection
from selfheal.errors import NoProductionModel, ObjectMissing, UploadUnreadable
from selfheal.labels.files import UploadedRow, check_size, read_label_file
from selfheal.labels.timeliness import CLOCK_SKEW, untimely
from selfheal.labels.values import LabelValues
from selfheal.records.labels import IngestionReport, Label, RejectedRow, Upload
from selfheal.records.predictions import is_prediction_id
from selfheal.stores.labels import INCOMING, LabelStore
from selfheal.stores.pointer import ProductionPointer
from selfheal.stores.registry import ModelRegistry

# Uploads that `receive_labels` wrote, always in the same way.
FROM_API = "api/"


def ingest_labels(
    labels: LabelStore, pointer: ProductionPointer, models: ModelRegistry, upload: Upload
) -> IngestionReport:
    """Take in an uploaded file; labels of unknown predictions are kept for later.

    Raises:
        StoreUnavailable: nothing is lost; doing it again completes it.
    """
    name = upload.key.removeprefix(INCOMING)
    values, spec = _reading(name, pointer, models)
    try:
        check_size(upload.size)
        sorted_rows = sort_rows(read_label_file(name, labels.upload(upload.key), spec), values, upload.uploaded_at)
    except ObjectMissing:
        return _refusal(name, "the file was gone before it was read")
    except UploadUnreadable as error:
        labels.reject(name, [RejectedRow(line=0, prediction_id="", label="", reason=str(error))])
        return _refusal(name, str(error))
    if sorted_rows.rejected:
        labels.reject(name, sorted_rows.rejected)
    kept = labels.accept(sorted_rows.accepted.values())
    return IngestionReport(
        upload=name,
        accepted=len(sorted_rows.accepted),
        rejected=len(sorted_rows.rejected),
        repeated=bool(sorted_rows.accepted) and not kept,
    )


@dataclass(frozen=True, slots=True)
class SortedRows:
    """An upload's rows: labels by prediction and time, and what was refused."""

    accepted: dict[tuple[str, datetime], Label] = field(default_factory=dict)
    rejected: list[RejectedRow] = field(default_factory=list)


def sort_rows(rows: Iterable[UploadedRow], values: LabelValues, uploaded_at: datetime) -> SortedRows:
    """Accept or refuse each row. A label without a time gets the time of the upload."""
    result = SortedRows()
    for row in rows:
        label = _label(row, values, uploaded_at)
        if isinstance(label, str):
            result.rejected.append(_rejected(row, label))
            continue
        first = result.accepted.setdefault((label.prediction_id, label.label_timestamp), label)
        if first.label != label.label:
            result.rejected.append(_rejected(row, "an earlier row gives this prediction the other label"))
    return result


def _label(row: UploadedRow, values: LabelValues, uploaded_at: datetime) -> Label | str:
    """The label of a row, or every reason why there is none."""
    label, moment = values.of(row.label), _moment(row.label_timestamp, uploaded_at)
    reasons = (
        [row.fault] if row.fault else [*_reasons(row, label, values, uploaded_at), *_untimely(moment, uploaded_at)]
    )
    if reasons or label is None or moment is None:
        return "; ".join(reasons)
    return Label(
        prediction_id=row.prediction_id, label=label, label_timestamp=moment, received_at=uploaded_at, source=row.source
    )


def _reasons(row: UploadedRow, label: int | None, values: LabelValues, uploaded_at: datetime) -> Iterable[str]:
    if not row.prediction_id:
        yield "prediction_id is empty"
    elif not is_prediction_id(row.prediction_id):
        yield "prediction_id is not one that this service gives out"
    elif reason := untimely(row.prediction_id, uploaded_at):
        yield reason
    if not row.label:
        yield "label is empty"
    elif label is None:
        yield f"label is not one of {values}"


def _untimely(moment: datetime | None, uploaded_at: datetime) -> Iterable[str]:
    if moment is None:
        yield "label_timestamp is not a time in ISO 8601, nor as the contract's [file] says"
    elif moment > uploaded_at + CLOCK_SKEW:
        # It would hold against every correction until that time has come.
        yield "label_timestamp is later than the upload (without a zone it is in UTC)"


def _moment(text: str, uploaded_at: datetime) -> datetime | None:
    """Times without a zone are in UTC."""
    if not text:
        return uploaded_at
    try:
        moment = datetime.fromisoformat(text)
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _rejected(row: UploadedRow, reason: str) -> RejectedRow:
    return RejectedRow(line=row.line, prediction_id=row.prediction_id, label=row.label, reason=reason)


def _refusal(name: str, reason: str) -> IngestionReport:
    return IngestionReport(upload=name, accepted=0, rejected=1, repeated=False, reason=reason)


def _reading(name: str, pointer: ProductionPointer, models: ModelRegistry) -> tuple[LabelValues, FileSection]:
    """What labels may be called, and how a file is written: as the contract says, but for what the API wrote itself."""
    try:
        manifest = models.manifest(pointer.read().pointer.version)
    except NoProductionModel:
        return LabelValues(), FileSection()
    spec = FileSection() if name.startswith(FROM_API) else manifest.contract.file
    return LabelValues({manifest.positive_value: 1, manifest.negative_value: 0}), spec
