"""True labels: what users upload, row by row, and what became of each."""

from typing import Literal

from selfheal.records.base import Record, UtcTime


class Upload(Record):
    """One uploaded file, as S3's event tells of it: an attempt to take it in again tells the same.

    etag: of the bytes that the event is about, without quotes; None where it isn't known.
    """

    key: str
    size: int
    uploaded_at: UtcTime
    etag: str | None = None


class Label(Record):
    """One accepted label; `received_at`, when it was uploaded, decides between labels that carry the same time."""

    prediction_id: str
    label: Literal[0, 1]
    label_timestamp: UtcTime
    received_at: UtcTime
    source: str = ""


class RejectedRow(Record):
    """One refused row of an upload: its line in the file (1-based, header counted) and the reason."""

    line: int
    prediction_id: str
    label: str
    reason: str


class IngestionReport(Record):
    """What became of one uploaded file; `reason` says why all of it was refused, `refusals` where refused rows lie."""

    upload: str
    accepted: int
    rejected: int
    repeated: bool
    reason: str = ""
    refusals: str = ""


class Receipt(Record):
    """What a batch sent to the API became: the upload that the labels function takes in, and its rows."""

    upload: str
    rows: int
