"""An upload becomes labels: row by row, with a reason for each row that is refused, and twice is like once.

An upload says its labels as of their own times, or as of the moment of the upload where they have none. So an event
that comes twice says the same thing twice, which changes nothing; a later upload says something new, whatever it holds.
"""

import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from selfheal.errors import NoProductionModel, ObjectChanged, ObjectMissing, UploadTooLarge, UploadUnreadable
from selfheal.files.limits import UPLOAD, Limits
from selfheal.labels.checks import checked_label
from selfheal.labels.files import check_size, read_label_file
from selfheal.labels.parts import read_part
from selfheal.labels.rows import UploadedRow
from selfheal.labels.terms import BEFORE_THE_FIRST_MODEL, LabelTerms, spec_of, terms_of
from selfheal.labels.values import Values
from selfheal.prefixes import LABELS_INCOMING, LABELS_PARTS
from selfheal.records.labels import IngestionReport, Label, LabelById, RejectedRow, Upload
from selfheal.stores.collection import Stores
from selfheal.usecases.labels.split import split_upload

MOST_REASONS = 20
# An earlier attempt may have taken the file in before it went; uploading it again does no harm.
LOST = {
    ObjectMissing: "the file was gone before it was read: upload it again",
    ObjectChanged: "another file was written under this name before this one was read, which is lost: upload it again, "
    "each file under a name of its own",
}
MEANT_OTHERWISE = "an earlier row gives this prediction another label"


def ingest_labels(stores: Stores, upload: Upload, limits: Limits = UPLOAD) -> IngestionReport:
    """Take in an uploaded file; labels of unknown predictions are kept for later. The report is kept as the outcome.

    Every upload is taken in or told: where its key was deleted or written again before it was read, it is refused. One
    that is beyond the limits is cut into parts, which are uploads of their own; a part never is.

    Raises:
        StoreUnavailable: nothing is lost; doing it again completes it.
    """
    terms = terms_of_production(stores)
    try:
        report = _taken_in(stores, upload, terms, limits)
    except (ObjectMissing, ObjectChanged, UploadUnreadable) as error:
        report = _refused(stores, upload, LOST.get(type(error)) or str(error))
    stores.labels.write_outcome(report)
    return report


def _taken_in(stores: Stores, upload: Upload, terms: LabelTerms, limits: Limits) -> IngestionReport:
    try:
        return _ingested(stores, upload, terms, limits)
    except UploadTooLarge:
        if upload.key.startswith(LABELS_PARTS):
            raise
    # Outside of the handler: what was read of it so far is let go first.
    return split_upload(stores.labels, upload, terms, limits)


def _ingested(stores: Stores, upload: Upload, terms: LabelTerms, limits: Limits) -> IngestionReport:
    name = upload.key.removeprefix(LABELS_INCOMING)
    check_size(upload.size, limits)
    rows, said_at = _rows(upload, stores.labels.upload(upload), terms, limits)
    sorted_rows = sort_rows(rows, terms.values, said_at, name)
    refusals = stores.labels.reject(upload, sorted_rows.rejected) if sorted_rows.rejected else ""
    kept = _kept(stores, sorted_rows, said_at)
    return IngestionReport(
        upload=name,
        uploaded_at=upload.uploaded_at,
        accepted=len(sorted_rows.accepted),
        pending=len(sorted_rows.by_id),
        rejected=len(sorted_rows.rejected),
        reasons=dict(Counter(row.reason for row in sorted_rows.rejected).most_common(MOST_REASONS)),
        doubled=sorted_rows.doubled,
        repeated=bool(sorted_rows.accepted or sorted_rows.by_id) and not kept,
        refusals=refusals,
    )


def _rows(upload: Upload, body: bytes, terms: LabelTerms, limits: Limits) -> tuple[Iterator[UploadedRow], datetime]:
    """The rows, and as of when they say what they say: a part's as of the upload of the whole."""
    if upload.key.startswith(LABELS_PARTS):
        part = read_part(body)
        # Nobody dates a part after it came.
        return part.rows, min(upload.uploaded_at, part.uploaded_at or upload.uploaded_at)
    name = upload.key.removeprefix(LABELS_INCOMING)
    return read_label_file(name, io.BytesIO(body), spec_of(name, terms), terms.id_column, limits), upload.uploaded_at


def _refused(stores: Stores, upload: Upload, reason: str) -> IngestionReport:
    """Refuse a file as a whole."""
    return IngestionReport(
        upload=upload.key.removeprefix(LABELS_INCOMING),
        uploaded_at=upload.uploaded_at,
        accepted=0,
        rejected=1,
        repeated=False,
        reason=reason,
        refusals=stores.labels.reject(upload, [RejectedRow(line=0, reason=reason)]),
    )


def _kept(stores: Stores, rows: "SortedRows", uploaded_at: datetime) -> bool:
    """Keep labels; whether any of it is news."""
    are_new = stores.labels.accept(rows.accepted.values())
    if not rows.by_id:
        return are_new
    return stores.labels_by_id.keep(list(rows.by_id.values()), uploaded_at) or are_new


@dataclass(frozen=True, slots=True)
class SortedRows:
    """An upload's rows: labels by prediction and time, those that name a user's id, and what was refused.

    doubled: rows that say again what an earlier one says.
    """

    accepted: dict[tuple[str, datetime], Label] = field(default_factory=dict)
    by_id: dict[tuple[str, datetime], LabelById] = field(default_factory=dict)
    rejected: list[RejectedRow] = field(default_factory=list)
    doubled: int = 0


def sort_rows(rows: Iterable[UploadedRow], values: Values, uploaded_at: datetime, upload: str) -> SortedRows:
    """Accept or refuse each row. A label without a time gets the time of the upload."""
    result, doubled = SortedRows(), 0
    for row in rows:
        label, faults = checked_label(row, values, uploaded_at, upload)
        if row.fault or label is None:
            reason = row.fault or "; ".join(f"{fault.field} {fault.message}" for fault in faults)
            result.rejected.append(_rejected(row, reason))
        elif (first := _first(result, label)).label != label.label:
            result.rejected.append(_rejected(row, MEANT_OTHERWISE))
        else:
            doubled += first is not label
    return replace(result, doubled=doubled)


def _first(result: SortedRows, label: Label | LabelById) -> Label | LabelById:
    """Put a label with those that are accepted, unless an earlier row is of the same time; the one that counts."""
    if isinstance(label, Label):
        return result.accepted.setdefault((label.prediction_id, label.label_timestamp), label)
    return result.by_id.setdefault((label.id, label.label_timestamp), label)


def _rejected(row: UploadedRow, reason: str) -> RejectedRow:
    return RejectedRow(line=row.line, prediction_id=row.prediction_id, id=row.id, label=row.label, reason=reason)


def terms_of_production(stores: Stores) -> LabelTerms:
    """What production's contract says of labels. Raises StoreUnavailable."""
    try:
        return terms_of(stores.models.manifest(stores.pointer.read().pointer.version))
    except NoProductionModel:
        return BEFORE_THE_FIRST_MODEL
