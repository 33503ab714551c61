"""What a Firehose stream couldn't place: JSON lines, each with a record as it came and why it was refused.

https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-error-handling.html
"""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from selfheal.errors import ObjectExists
from selfheal.prefixes import STREAM, UNDELIVERED
from selfheal.records.predictions import is_prediction_id, moment_of
from selfheal.stores.bucket import Bucket
from selfheal.stores.gzipped import unpacked
from selfheal.stores.prediction_log import hour_prefix
from selfheal.stores.rollups import hour_of


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One object: its log lines by the hour that they belong to, and how many of its lines are no predictions."""

    key: str
    lines: Mapping[datetime, list[bytes]]
    unreadable: int


class UndeliveredLog:
    """`predictions-undelivered/…` of the data bucket."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def read(self) -> Iterator[Undelivered]:
        """One object after the other. Raises StoreUnavailable."""
        for key, body in self._data.get_many(self._data.keys(UNDELIVERED)):
            yield _parsed(key, body)

    def put_back(self, hour: datetime, lines: Sequence[bytes]) -> bool:
        """Write lines as an object of their hour; False where these were put back before, and nothing changes.

        Raises:
            StoreUnavailable: nothing is known to be written.
        """
        body = b"".join(line + b"\n" for line in lines)
        name = f"{STREAM}put-back-{hashlib.sha256(body).hexdigest()[:32]}.jsonl"
        try:
            self._data.create(f"{hour_prefix(hour)}{name}", body)
        except ObjectExists:
            return False
        return True


def _parsed(key: str, body: bytes) -> Undelivered:
    lines: defaultdict[datetime, list[bytes]] = defaultdict(list)
    unreadable = 0
    for line in _records(body):
        hour = _hour(line)
        if hour is None:
            unreadable += 1
        else:
            lines[hour].append(line)
    return Undelivered(key, lines, unreadable)


def _records(body: bytes) -> Iterator[bytes]:
    """The lines of the records that an object holds; what is no such object is one line that nobody can read."""
    try:
        told = [orjson.loads(line) for line in unpacked(body).splitlines()]
        records = [base64.b64decode(each["rawData"], validate=True) for each in told]
    except (ValueError, KeyError, TypeError):
        yield b""
        return
    for record in records:
        yield from record.splitlines()


def _hour(line: bytes) -> datetime | None:
    """The hour of a prediction; None where the line holds none."""
    try:
        identifier = orjson.loads(line)["prediction_id"]
        return hour_of(moment_of(identifier)) if is_prediction_id(identifier) else None
    except (ValueError, KeyError, TypeError):
        return None
