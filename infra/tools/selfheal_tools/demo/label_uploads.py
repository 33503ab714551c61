"""The truth, late: some rows' labels are uploaded to S3 as CSV a day after their prediction."""

import csv
import io
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np

from selfheal.prefixes import LABELS_INCOMING
from selfheal.stores.bucket import Bucket
from selfheal_tools.demo.traffic import Answered

DELAY = timedelta(hours=24)
# The share of rows whose truth is ever learned.
RATE = 0.8


class LabelUploads:
    """Keeps the truth of answered rows until it is due, then uploads it as a user would."""

    def __init__(self, data: Bucket, rng: np.random.Generator) -> None:
        self._data = data
        self._rng = rng
        self._waiting: deque[Answered] = deque()
        self.uploaded = 0

    def add(self, answered: Iterable[Answered]) -> None:
        """Take in answered rows; the truth of some of them will come."""
        self._waiting.extend(row for row in answered if self._rng.random() < RATE)

    def deliver(self, now: datetime) -> None:
        """Upload all labels that are due, in one file."""
        due: list[Answered] = []
        while self._waiting and self._waiting[0].moment + DELAY <= now:
            due.append(self._waiting.popleft())
        if due:
            self._data.put(f"{LABELS_INCOMING}truth-{now:%Y%m%dT%H%M%S}.csv", self._file(due))

    def _file(self, due: list[Answered]) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(["prediction_id", "label"])
        writer.writerows([row.prediction_id, row.label] for row in due)
        if not self.uploaded:
            # People mistype: the first file has one row that can't be taken.
            writer.writerow([due[0].prediction_id, "perhaps"])
            self.uploaded += 1
        self.uploaded += len(due)
        return text.getvalue().encode()
