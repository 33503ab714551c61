"""Files of rows that are to be answered, and the answers."""

from selfheal.records.batches import BatchReport
from selfheal.stores.bucket import Bucket, StoredObject

INCOMING = "batches/incoming/"
DONE = "batches/done/"


class BatchStore:
    """`batches/…` of the data bucket. What is done is of the newest upload of a name; the log holds all predictions."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def incoming(self, key: str) -> StoredObject:
        """What lies under a key of `batches/incoming/` now. Raises ObjectMissing."""
        return self._data.get(key)

    def finish(self, report: BatchReport, answers: str, refused: str) -> None:
        """Keep answers and refused rows beside each other, then the report: once it is there, all is."""
        self._data.put(f"{DONE}{report.upload}.answers.csv", answers.encode())
        self._data.put(f"{DONE}{report.upload}.refused.csv", refused.encode())
        self._data.put(f"{DONE}{report.upload}.report.json", report.to_json())
