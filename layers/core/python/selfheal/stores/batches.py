"""Files of rows that are to be answered, and the answers."""

from selfheal.prefixes import BATCHES_DONE, BATCHES_INCOMING
from selfheal.records.batches import BatchReport
from selfheal.records.labels import Upload
from selfheal.stores.bucket import Bucket
from selfheal.stores.uploads import ending_of, uploaded

# S3's limit, in bytes of UTF-8, less what follows a name.
LONGEST_NAME = 900


class BatchStore:
    """`batches/…` of the data bucket."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def upload(self, upload: Upload) -> bytes:
        """The bytes of an upload. Raises ObjectMissing; ObjectChanged where it is another file by now."""
        return uploaded(self._data, upload)

    def finish(self, report: BatchReport, answers: str, refused: str) -> None:
        """Keep answers and refused rows beside each other, then the report: once it is there, all is."""
        self._data.put(f"{report.done}.answers.csv", answers.encode())
        self._data.put(f"{report.done}.refused.csv", refused.encode())
        self._data.put(f"{report.done}.report.json", report.to_json())


def done_prefix(upload: Upload) -> str:
    """Where what became of an upload lies: below its own name, which may come again, by its moment and what it held."""
    name = upload.key.removeprefix(BATCHES_INCOMING).encode()[:LONGEST_NAME].decode(errors="ignore")
    return f"{BATCHES_DONE}{name}{ending_of(upload)}"
