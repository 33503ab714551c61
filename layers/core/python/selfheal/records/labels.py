"""True labels: what users upload, row by row, and what became of each."""

from typing import Literal, Self

from pydantic import Field

from selfheal.records.base import Phrase, Reason, Record, UtcTime


class Upload(Record):
    """One uploaded file, as S3's event tells of it: an attempt to take it in again tells the same.

    etag: of the bytes that the event is about, without quotes; None where it isn't known.
    """

    key: str
    size: int
    uploaded_at: UtcTime
    etag: str | None = None


class Label(Record):
    """One accepted label: 0 or 1, a class as users write it, or a number.

    `received_at`, when it was uploaded, decides between labels that carry the same time.
    """

    prediction_id: str
    label: Literal[0, 1] | float | str
    label_timestamp: UtcTime
    received_at: UtcTime
    source: str = ""


class LabelById(Record):
    """One label that names its prediction by the user's own id; `upload` and `line` say where it stood."""

    id: str
    label: Literal[0, 1] | float | str
    label_timestamp: UtcTime
    received_at: UtcTime
    source: str = ""
    upload: str
    line: int


class RejectedRow(Record):
    """One refused row of an upload: its line in the file (1-based, header counted) and the reason."""

    line: int
    prediction_id: str = ""
    id: str = ""
    label: str = ""
    reason: Reason


class IngestionReport(Record):
    """What became of one uploaded file.

    pending: rows that name their prediction by the user's id, which is looked up once the hour is closed. doubled:
    rows that say again what an earlier one says. reasons: how many rows were refused for what; reason: why all of them
    were. refusals: where refused rows lie. parts: the names of the uploads that a large file was cut into: each has an
    outcome of its own, and the numbers count none of their rows.
    """

    upload: str
    uploaded_at: UtcTime
    accepted: int
    rejected: int
    pending: int = 0
    doubled: int = 0
    reasons: dict[Phrase, int] = Field(default_factory=dict)
    repeated: bool
    reason: Reason = ""
    refusals: str = ""
    parts: tuple[str, ...] = ()


class MatchReport(Record):
    """What became of labels that name their predictions by users' ids."""

    matched: int = 0
    refused: int = 0
    waiting: int = 0

    def __add__(self, other: Self) -> Self:
        """Both together."""
        return type(self)(
            matched=self.matched + other.matched,
            refused=self.refused + other.refused,
            waiting=self.waiting + other.waiting,
        )


class Receipt(Record):
    """What a batch sent to the API became: the upload that the labels function takes in, and its rows."""

    upload: str
    rows: int
