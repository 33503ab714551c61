"""A Firehose stream behind the narrow port, without the SDK's client (see `selfheal.stores.signed_http`).

Firehose bills each record as if it had five kilobytes at least, so that many lines travel in one. It takes them apart
again, up to 500 of them, since each goes to the hour of its own timestamp.
"""

import base64
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from botocore.auth import SigV4Auth

from selfheal.errors import StoreUnavailable
from selfheal.stores.signed_http import SignedHttp, suffix_of

# Limits of PutRecordBatch: records, and bytes of the whole request, which base64 makes a third longer; of a record.
RECORDS, BATCH_BYTES, RECORD_BYTES, LINES = 500, 3_000_000, 1_000_000, 500
# How often refused records are tried again, and the longest pause before the first of these times, in seconds.
TRIES, PAUSE = 3, 0.02


class FirehoseStream:
    """One delivery stream (see `selfheal.stores.stream.Stream`).

    `endpoint` is the address of a stand-in for Firehose, None for AWS itself.
    """

    def __init__(
        self, name: str, *, region: str, endpoint: str | None = None, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._name = name
        self._pause = pause
        address = endpoint or f"https://firehose.{region}.{suffix_of(region)}"
        self._http = SignedHttp(address.rstrip("/"), lambda credentials: SigV4Auth(credentials, "firehose", region))

    def renew(self) -> None:
        """Forget connections and credentials: neither survives in a copy of this process."""
        self._http.renew()

    def put(self, lines: Sequence[bytes]) -> None:
        """Hand over lines. Raises StoreUnavailable where not all were taken."""
        if any(len(line) >= RECORD_BYTES for line in lines):
            raise StoreUnavailable(f"a line of a megabyte and more is too long for the stream {self._name}")
        for batch in _limited(records_of(lines), RECORDS, BATCH_BYTES):
            self._put_all(batch)

    def _put_all(self, records: Sequence[bytes]) -> None:
        refused, code = records, ""
        for number in range(TRIES):
            if number:
                self._pause(random.uniform(0, PAUSE * number))  # noqa: S311 - so that not all come again at once
            refused, code = self._refused(refused)
            if not refused:
                return
        raise StoreUnavailable(f"the stream {self._name} refused {len(refused)} of {len(records)} records: {code}")

    def _refused(self, records: Sequence[bytes]) -> tuple[list[bytes], str]:
        """The records that the stream didn't take, and the code that one of them was refused with."""
        body = {
            "DeliveryStreamName": self._name,
            "Records": [{"Data": base64.b64encode(record).decode()} for record in records],
        }
        answer = self._ask("PutRecordBatch", body)
        if not answer["FailedPutCount"]:
            return [], ""
        told = zip(records, answer["RequestResponses"], strict=True)
        failed = [(record, each["ErrorCode"]) for record, each in told if "ErrorCode" in each]
        return [record for record, _ in failed], failed[0][1]

    def _ask(self, operation: str, content: Mapping[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Firehose_20150804.{operation}"}
        answer = self._http.send("POST", "/", orjson.dumps(content), headers)
        if answer.status != HTTPStatus.OK:
            raise StoreUnavailable(
                f"Firehose refused {operation} of {self._name}: {answer.status} {_code(answer.data)}"
            )
        found: dict[str, Any] = orjson.loads(answer.data)
        return found


def records_of(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Records of as many whole lines as one may have."""
    for group in _limited(lines, LINES, RECORD_BYTES):
        yield b"".join(line + b"\n" for line in group)


def _limited(items: Iterable[bytes], most: int, size: int) -> Iterator[list[bytes]]:
    """Items in groups of so many, and of so many bytes with a line break each, at the most."""
    group: list[bytes] = []
    taken = 0
    for item in items:
        if group and (len(group) == most or taken + len(item) + 1 > size):
            yield group
            group, taken = [], 0
        group.append(item)
        taken += len(item) + 1
    if group:
        yield group


def _code(body: bytes) -> str:
    try:
        return str(orjson.loads(body).get("__type", "")).rpartition("#")[2]
    except (orjson.JSONDecodeError, AttributeError):
        return ""
