"""Files of rows that are to be answered: what was uploaded, what was refused, and what became of the whole."""

from selfheal.records.base import Record, UtcTime


class BatchUpload(Record):
    """One uploaded file, as S3's event tells of it; `etag` is that of the bytes that the event is about."""

    key: str
    size: int
    etag: str
    uploaded_at: UtcTime


class RefusedRow(Record):
    """A row that can't be answered: where it is in the file, why, and its cells where they could be read."""

    line: int
    reason: str
    cells: tuple[str, ...] = ()


class BatchReport(Record):
    """What became of one uploaded file; `reason` says why it was refused as a whole."""

    upload: str
    uploaded_at: UtcTime
    answered: int = 0
    refused: int = 0
    reason: str = ""
