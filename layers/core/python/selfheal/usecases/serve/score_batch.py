"""Answer an uploaded file of rows as the API would, a part at a time; each row is logged once, however often it runs.

A part's request id is made of the upload, so that an attempt finds what an earlier one has logged.
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from ulid import ULID

from selfheal.batches import output
from selfheal.batches.layout import Layout, layout_of
from selfheal.batches.parts import PartFile
from selfheal.batches.rows import ReadRows, read_rows
from selfheal.contract.model import Contract
from selfheal.errors import FileTooLarge, FileUnreadable, ObjectChanged, ObjectMissing, StoreUnavailable
from selfheal.files.limits import UPLOAD, Limits
from selfheal.files.source import Source
from selfheal.files.table import source_of
from selfheal.prefixes import BATCHES_INCOMING, BATCHES_PARTS
from selfheal.records.batches import BatchReport, RefusedRow
from selfheal.records.labels import Upload
from selfheal.records.predictions import moment_of
from selfheal.stores.batches import done_prefix
from selfheal.stores.collection import Stores
from selfheal.usecases.labels.ingest import LOST
from selfheal.usecases.serve.predict import predict
from selfheal.usecases.serve.production_model import ServedModel
from selfheal.usecases.serve.split_batch import check_size, split_batch

CHANGED = "production's contract changed while the file was answered: upload it again"


def score_batch(stores: Stores, model: ServedModel, upload: Upload, limits: Limits = UPLOAD) -> BatchReport:
    """Answer a file; rows that don't match the contract are refused beside the answers.

    Every upload is answered or told: where its key was deleted or written again before it was read, it is refused. One
    that is beyond the limits is cut into parts, which are answered by events of their own; a part never is.

    Raises:
        StoreUnavailable: not all is logged and written; doing it again completes it.
    """
    report = BatchReport(upload=_name_of(upload), done=done_prefix(upload), uploaded_at=upload.uploaded_at)
    try:
        return _answered(stores, model, upload, report, limits)
    except (ObjectMissing, ObjectChanged, FileUnreadable) as error:
        reason = LOST.get(type(error)) or str(error)
        refused = output.refused_header() + output.refused([RefusedRow(line=0, reason=reason)])
        report = report.model_copy(update={"reason": reason})
        stores.batches.finish(report, "", refused)
        return report


def _answered(stores: Stores, model: ServedModel, upload: Upload, report: BatchReport, limits: Limits) -> BatchReport:
    try:
        return _at_once(stores, model, upload, report, limits)
    except FileTooLarge:
        if upload.key.startswith(BATCHES_PARTS):
            raise
    # Outside of the handler: what was read of it so far is let go first.
    report = split_batch(stores.batches, report, upload, model.manifest.contract, limits)
    stores.batches.tell_parts(report)
    return report


def _at_once(stores: Stores, model: ServedModel, upload: Upload, report: BatchReport, limits: Limits) -> BatchReport:
    check_size(report.upload, upload.size, limits)
    source = _source(upload, stores.batches.upload(upload), model.manifest.contract, limits)
    written = _scored(stores, model, upload, source)
    report = report.model_copy(update={"answered": written.answered, "refused": written.refused})
    stores.batches.finish(report, "".join(written.answers), "".join(written.refusals))
    return report


def _name_of(upload: Upload) -> str:
    return upload.key.removeprefix(BATCHES_INCOMING).removeprefix(BATCHES_PARTS)


def _source(upload: Upload, body: bytes, contract: Contract, limits: Limits) -> Source:
    if upload.key.startswith(BATCHES_PARTS):
        return PartFile(_name_of(upload), body)
    return source_of(_name_of(upload), io.BytesIO(body), contract.file, limits)


@dataclass(slots=True)
class _Written:
    """Lines of both files so far, and how many rows they are of."""

    answers: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    answered: int = 0
    refused: int = 0


def _scored(stores: Stores, model: ServedModel, upload: Upload, source: Source) -> _Written:
    layout = layout_of(source.name, source.names(), model.manifest.contract)
    written = _Written([output.answers_header(layout.kept)], [output.refused_header()])
    # All is read before any of it is logged: a file that breaks off is refused whole.
    for number, part in enumerate(list(_parts(source, layout))):
        _score_part(stores, model, _request_id(upload, number), part, written)
        written.refusals.append(output.refused(part.refused))
        written.refused += len(part.refused)
    return written


def _parts(source: Source, layout: Layout) -> Iterator[ReadRows]:
    return (read_rows(batch, layout) for batch in source.batches(layout.wanted))


def _score_part(stores: Stores, model: ServedModel, request_id: str, part: ReadRows, written: _Written) -> None:
    if not len(part):
        return
    moment = moment_of(request_id)
    answer = predict(model, stores.prediction_log, part.rows, now=moment, request_id=request_id)
    if not answer.logged:
        raise StoreUnavailable("the prediction log takes nothing: the file is tried again")
    if len(answer.predictions) != len(part):
        raise FileUnreadable(CHANGED)
    written.answers.append(output.answers(part.cells, answer.predictions))
    written.answered += len(part)


def _request_id(upload: Upload, part: int) -> str:
    """In the order of the file, and the same for every attempt."""
    moment = ULID.from_datetime(upload.uploaded_at).bytes[:6]
    digest = hashlib.sha256(f"{upload.key}\n{upload.etag}".encode()).digest()
    return str(ULID.from_bytes(moment + digest[:8] + part.to_bytes(2)))
