"""The narrow port that every store is built on: whole objects, conditional writes, ordered listing."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from selfheal.errors import AccessRefused, ObjectMissing, StoreUnavailable


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object's bytes and the ETag that a conditional write has to present."""

    body: bytes
    etag: str


class Bucket(Protocol):
    """One bucket. Every method raises StoreUnavailable where the service doesn't answer or refuses."""

    def get(self, key: str) -> StoredObject:
        """Read an object. Raises ObjectMissing."""
        ...

    def download(self, key: str, file: BinaryIO) -> str:
        """Write an object's bytes into a file, some at a time; returns the ETag. Raises ObjectMissing."""
        ...

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless its ETag is still `etag` (then None). Raises ObjectMissing."""
        ...

    def get_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Read objects concurrently, in no particular order; those that have gone meanwhile are left out."""
        ...

    def put(self, key: str, body: bytes) -> str:
        """Write unconditionally (for content that is the same whoever writes it); returns the ETag."""
        ...

    def create(self, key: str, body: bytes) -> str:
        """Write once; returns the ETag. Raises ObjectExists where the key is taken."""
        ...

    def replace(self, key: str, body: bytes, etag: str) -> str:
        """Write over the object whose ETag is `etag`; returns the new one. Raises ObjectChanged where it isn't that."""
        ...

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Keys below a prefix in ascending UTF-8 order, those up to and including `start_after` left out."""
        ...

    def sizes(self, prefix: str, start_after: str = "") -> Iterator[tuple[str, int]]:
        """The same, and how many bytes each object has: the same listing tells both."""
        ...


@contextmanager
def absence_told(bucket: Bucket, key: str) -> Iterator[None]:
    """Around a read of S3: tell a key that isn't there from one that may not be read.

    S3 answers that access is denied in both cases to whoever may list below some prefixes only; the list tells.

    Raises:
        ObjectMissing: nothing is there.
        AccessRefused: something is, or whether it is may not be known either.
    """
    try:
        yield
    except AccessRefused as refusal:
        if _is_listed(bucket, key) is False:
            raise ObjectMissing(f"nothing is stored under {key}") from refusal
        raise


def _is_listed(bucket: Bucket, key: str) -> bool | None:
    """Whether a key is there; None where that may not be known either."""
    try:
        return next(bucket.keys(key), None) == key
    except StoreUnavailable:
        return None
