"""A file of rows that is more than one function answers becomes parts, which are answered by events of their own.

Nothing is written before the whole file is read. Parts are created once under names that say which file they are of, so
that an attempt that is broken off is completed by the next one.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from selfheal.batches.layout import layout_of
from selfheal.batches.parts import cut
from selfheal.contract.model import Contract
from selfheal.errors import FileTooLarge, FileUnreadable
from selfheal.files.limits import SPLIT, Limits
from selfheal.files.table import source_of
from selfheal.records.batches import BatchReport
from selfheal.records.labels import Upload
from selfheal.stores.batches import BatchStore, parts_prefix

CHANGED = "production's contract, or the service, changed while the file was cut into parts: upload it again"
NO_COLUMNS = "JSON lines of this size aren't cut into parts: save it as CSV or Parquet, or have `selfheal score` do it"


def split_batch(
    batches: BatchStore, report: BatchReport, upload: Upload, contract: Contract, of_one: Limits
) -> BatchReport:
    """Write an upload as parts of which each is within limits; returns the report with their names.

    Raises:
        ObjectMissing, ObjectChanged: it is gone, or another file was written under its key.
        FileUnreadable: it can't be read, or is too large even for this.
        StoreUnavailable: some parts may be written; doing it again completes them.
    """
    try:
        check_size(report.upload, upload.size, SPLIT)
        with TemporaryDirectory() as folder:
            whole = Path(folder) / "whole"
            with whole.open("wb") as file:
                batches.download(upload, file)
            names = _written(batches, report.upload, whole, parts_prefix(upload), contract, of_one)
    except FileTooLarge as error:
        raise FileUnreadable(f"{error}, or have `selfheal score` do it") from error
    return report.model_copy(update={"parts": tuple(f"{report.done}/{name}" for name in names)})


def check_size(name: str, size: int, limits: Limits) -> None:
    """Raises FileTooLarge where a file has more bytes than it may unfold to: it needn't be read."""
    if size > limits.unfolded:
        raise FileTooLarge(f"{name} has {size:,} bytes, more than {limits.unfolded:,}: split it into parts")


def _written(batches: BatchStore, name: str, whole: Path, prefix: str, contract: Contract, of_one: Limits) -> list[str]:
    digest, count = hashlib.sha256(), 0
    for body in _parts(name, whole, contract, of_one):
        digest.update(body)
        count += 1
    names = [f"{number:04d}-of-{count:04d}-{digest.hexdigest()[:16]}" for number in range(1, count + 1)]
    # Rows that a part of another reading holds would be answered twice.
    if not batches.parts(prefix) <= {*names}:
        raise FileUnreadable(CHANGED)
    for part, body in zip(names, _parts(name, whole, contract, of_one), strict=True):
        batches.create_part(f"{prefix}{part}", body)
    return names


def _parts(name: str, whole: Path, contract: Contract, of_one: Limits) -> Iterator[bytes]:
    with whole.open("rb") as file:
        source = source_of(name, file, contract.file, SPLIT)
        if not source.has_header:
            raise FileUnreadable(f"{name}: {NO_COLUMNS}")
        wanted = layout_of(name, source.names(), contract).wanted
        yield from cut(source.batches(wanted), len(wanted), of_one)
