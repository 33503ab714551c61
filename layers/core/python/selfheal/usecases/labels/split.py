"""An upload of labels that is more than one function takes in becomes parts, each of which is an upload of its own.

S3's event of each part has it taken in like any other upload. Nothing is written before the whole file is read. Parts
are named by what they hold and created once: an attempt that is broken off is completed by the next one, and whatever
says otherwise, such as a new contract between two attempts, makes other parts.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from selfheal.errors import UploadTooLarge, UploadUnreadable
from selfheal.files.limits import SPLIT, Limits
from selfheal.labels.cutting import Extent, check_parts, cut, extent_of, parts_needed
from selfheal.labels.files import check_size, read_label_file
from selfheal.labels.parts import first_line, part_name
from selfheal.labels.rows import UploadedRow
from selfheal.labels.terms import LabelTerms, spec_of
from selfheal.prefixes import LABELS_INCOMING
from selfheal.records.labels import IngestionReport, Upload
from selfheal.stores.labels import LabelStore

# Bytes of all parts on disk, beside the file itself and what it unfolds to.
MOST_LINES = 2_500_000_000


def split_upload(labels: LabelStore, upload: Upload, terms: LabelTerms, of_one: Limits) -> IngestionReport:
    """Write an upload as parts of which each is within limits.

    Raises:
        ObjectMissing, ObjectChanged: it is gone, or another file was written under its key.
        UploadUnreadable: it can't be read, or is too large even for this.
        StoreUnavailable: some parts may be written; doing it again completes them.
    """
    try:
        with TemporaryDirectory() as folder:
            return _split(labels, upload, terms, of_one, Path(folder))
    except UploadTooLarge as error:
        raise UploadUnreadable(f"{error}, or let `selfheal labels` do so") from error


def _split(labels: LabelStore, upload: Upload, terms: LabelTerms, of_one: Limits, folder: Path) -> IngestionReport:
    check_size(upload.size, SPLIT)
    name, whole = upload.key.removeprefix(LABELS_INCOMING), folder / "whole"
    with whole.open("wb") as file:
        labels.download(upload, file)

    def rows() -> Iterator[UploadedRow]:
        with whole.open("rb") as file:
            yield from read_label_file(name, file, spec_of(name, terms), terms.id_column, SPLIT)

    extent = extent_of(rows)
    _check_lines(extent)
    files = cut(rows, parts_needed(extent, of_one), folder, first_line(upload.uploaded_at))
    check_parts(files, of_one)
    # A name may come again.
    mark = f"/{upload.uploaded_at:%Y%m%dT%H%M%S.%fZ}-{extent.digest[:32]}"
    names = [part_name(name, number, len(files), mark) for number in range(len(files))]
    created = [labels.receive_part(part, file.read_bytes()) for part, file in zip(names, files, strict=True)]
    return IngestionReport(
        upload=name,
        uploaded_at=upload.uploaded_at,
        accepted=0,
        rejected=0,
        repeated=not any(created),
        parts=tuple(names),
    )


def _check_lines(extent: Extent) -> None:
    if extent.size > MOST_LINES:
        raise UploadTooLarge(f"its rows take {extent.size:,} bytes, more than {MOST_LINES:,}: split it into parts")
