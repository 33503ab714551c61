"""Files of rows that are to be answered, and the answers."""

from contextlib import suppress
from typing import BinaryIO

from selfheal.errors import ObjectExists
from selfheal.prefixes import BATCHES_DONE, BATCHES_INCOMING, BATCHES_PARTS
from selfheal.records.batches import BatchReport
from selfheal.records.labels import Upload
from selfheal.stores.bucket import Bucket
from selfheal.stores.uploads import downloaded, ending_of, uploaded

# S3's limit, in bytes of UTF-8, less what follows a name, or the name of a part.
LONGEST_NAME, LONGEST_PART = 800, 900


class BatchStore:
    """`batches/…` of the data bucket."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def upload(self, upload: Upload) -> bytes:
        """The bytes of an upload. Raises ObjectMissing; ObjectChanged where it is another file by now."""
        return uploaded(self._data, upload)

    def download(self, upload: Upload, file: BinaryIO) -> None:
        """Write an upload's bytes into a file, some at a time. Raises as `upload` does."""
        downloaded(self._data, upload, file)

    def parts(self, prefix: str) -> set[str]:
        """The names of the parts that were written below a prefix."""
        return {key.removeprefix(prefix) for key in self._data.keys(prefix)}

    def create_part(self, key: str, body: bytes) -> None:
        """Write a part, unless it was written before: its event has it answered."""
        with suppress(ObjectExists):
            self._data.create(key, body)

    def tell_parts(self, report: BatchReport) -> None:
        """Keep the report of a file that was cut into parts: once it is there, all of them are."""
        self._data.put(f"{report.done}.report.json", report.to_json())

    def finish(self, report: BatchReport, answers: str, refused: str) -> None:
        """Keep answers and refused rows beside each other, then the report: once it is there, all is."""
        self._data.put(f"{report.done}.answers.csv", answers.encode())
        self._data.put(f"{report.done}.refused.csv", refused.encode())
        self._data.put(f"{report.done}.report.json", report.to_json())


def done_prefix(upload: Upload) -> str:
    """Where what became of an upload lies: below its own name, which may come again, by its moment and what it held.

    What became of a part lies below that of its file.
    """
    if upload.key.startswith(BATCHES_PARTS):
        return f"{BATCHES_DONE}{_cut(upload.key.removeprefix(BATCHES_PARTS), LONGEST_PART)}{ending_of(upload)}"
    return f"{BATCHES_DONE}{_name(upload)}{ending_of(upload)}"


def parts_prefix(upload: Upload) -> str:
    """Where the parts of an upload lie."""
    return f"{BATCHES_PARTS}{_name(upload)}{ending_of(upload)}/"


def _name(upload: Upload) -> str:
    return _cut(upload.key.removeprefix(BATCHES_INCOMING), LONGEST_NAME)


def _cut(name: str, longest: int) -> str:
    return name.encode()[:longest].decode(errors="ignore")
