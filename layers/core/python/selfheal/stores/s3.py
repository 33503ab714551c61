"""The real bucket. Every error of the SDK becomes one of ours here, and nowhere else."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import TYPE_CHECKING, BinaryIO, Literal, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.errors import (
    AccessRefused,
    ObjectChanged,
    ObjectExists,
    ObjectMissing,
    SelfhealError,
    StoreUnavailable,
)
from selfheal.stores.bucket import StoredObject, absence_told

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    class _Lock(TypedDict, total=False):
        ObjectLockMode: Literal["GOVERNANCE"]
        ObjectLockRetainUntilDate: datetime


# boto3 is bound by the interpreter lock at about 800 reads a second; more threads than this gain nothing.
READERS = 8
# Objects in memory at once.
BATCH = 256
# Bytes of a download in memory at once.
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is created below some prefixes can't be deleted: so many days from the moment that `now` gives."""

    prefixes: tuple[str, ...]
    days: int
    now: Callable[[], datetime]


class S3Bucket:
    """One S3 bucket behind the narrow port (see `selfheal.stores.bucket.Bucket`).

    `retention` needs a bucket with Object Lock. Its mode is governance: a person with a right of their own can undo it.
    """

    def __init__(self, client: "S3Client", name: str, retention: Retention | None = None) -> None:
        self._client = client
        self._name = name
        self._retention = retention

    def get(self, key: str) -> StoredObject:
        """Read an object. Raises ObjectMissing, StoreUnavailable."""
        with absence_told(self, key), _errors_of(key):
            answer = self._client.get_object(Bucket=self._name, Key=key)
            return StoredObject(answer["Body"].read(), answer["ETag"])

    def download(self, key: str, file: BinaryIO) -> str:
        """Write an object's bytes into a file, some at a time. Raises ObjectMissing, StoreUnavailable."""
        with absence_told(self, key), _errors_of(key):
            answer = self._client.get_object(Bucket=self._name, Key=key)
            file.writelines(answer["Body"].iter_chunks(PIECE))
            return answer["ETag"]

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless its ETag is still `etag`. Raises ObjectMissing, StoreUnavailable."""
        try:
            with absence_told(self, key), _errors_of(key, unmet=_NotModified(key)):
                answer = self._client.get_object(Bucket=self._name, Key=key, IfNoneMatch=etag)
                return StoredObject(answer["Body"].read(), answer["ETag"])
        except _NotModified:
            return None

    def get_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Read objects with a few threads; those that have gone meanwhile are left out."""
        with ThreadPoolExecutor(READERS) as pool:
            for batch in batched(keys, BATCH, strict=False):
                for key, body in pool.map(self._body_if_there, batch):
                    if body is not None:
                        yield key, body

    def put(self, key: str, body: bytes) -> str:
        """Write unconditionally. Raises StoreUnavailable."""
        with _errors_of(key):
            return self._client.put_object(Bucket=self._name, Key=key, Body=body)["ETag"]

    def create(self, key: str, body: bytes) -> str:
        """Write once. Raises ObjectExists, StoreUnavailable."""
        with _errors_of(key, unmet=ObjectExists(f"{key} is already written and is never rewritten")):
            return self._client.put_object(
                Bucket=self._name, Key=key, Body=body, IfNoneMatch="*", **self._lock_of(key)
            )["ETag"]

    def replace(self, key: str, body: bytes, etag: str) -> str:
        """Write over the object whose ETag is `etag`. Raises ObjectChanged, StoreUnavailable."""
        changed = ObjectChanged(f"{key} was changed by another writer")
        try:
            with _errors_of(key, unmet=changed):
                return self._client.put_object(Bucket=self._name, Key=key, Body=body, IfMatch=etag)["ETag"]
        except ObjectMissing as error:
            raise changed from error

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Keys below a prefix in ascending UTF-8 order. Raises StoreUnavailable."""
        return (key for key, _ in self.sizes(prefix, start_after))

    def sizes(self, prefix: str, start_after: str = "") -> Iterator[tuple[str, int]]:
        """The same, and how many bytes each object has. Raises StoreUnavailable."""
        with _errors_of(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._name, Prefix=prefix, StartAfter=start_after
            )
            for page in pages:
                for item in page.get("Contents", []):
                    yield item["Key"], item["Size"]

    def _lock_of(self, key: str) -> "_Lock":
        if self._retention is None or not key.startswith(self._retention.prefixes):
            return {}
        until = self._retention.now() + timedelta(days=self._retention.days)
        return {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}

    def _body_if_there(self, key: str) -> tuple[str, bytes | None]:
        try:
            return key, self.get(key).body
        except ObjectMissing:
            return key, None


class _NotModified(SelfhealError):
    """The object still has the ETag that the reader knows."""


# What S3 answers where a condition isn't met; 409 where another conditional write of the key is under way.
UNMET = {"304", "412", "409", "NotModified", "PreconditionFailed", "ConditionalRequestConflict"}
MISSING = {"404", "NoSuchKey"}
REFUSED = {"403", "AccessDenied"}


@contextmanager
def _errors_of(key: str, unmet: SelfhealError | None = None) -> Iterator[None]:
    """Turn the SDK's errors into ours; `unmet` is the one for a condition that isn't met."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in MISSING:
            raise ObjectMissing(f"nothing is stored under {key}") from error
        if code in UNMET and unmet is not None:
            raise unmet from error
        if code in REFUSED:
            raise AccessRefused(f"S3 refused {key}: {code}") from error
        raise StoreUnavailable(f"S3 refused {key}: {code}") from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"S3 didn't answer for {key}: {type(error).__name__}") from error
