"""A bucket in this process's memory: for tests and for replays, with the conditional writes of the real one."""

import hashlib
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from selfheal.errors import ObjectChanged, ObjectExists, ObjectMissing
from selfheal.stores.bucket import StoredObject


class MemoryBucket:
    """Safe for threads; what it holds is gone with the process."""

    def __init__(self) -> None:
        self._objects: dict[str, StoredObject] = {}
        self._keys: list[str] = []
        self._lock = threading.Lock()

    def get(self, key: str) -> StoredObject:
        """Read an object. Raises ObjectMissing."""
        try:
            return self._objects[key]
        except KeyError:
            raise ObjectMissing(f"nothing is stored under {key}") from None

    def download(self, key: str, file: BinaryIO) -> str:
        """Write an object's bytes into a file. Raises ObjectMissing."""
        stored = self.get(key)
        file.write(stored.body)
        return stored.etag

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        """Read an object unless its ETag is still `etag`."""
        stored = self.get(key)
        return None if stored.etag == etag else stored

    def get_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Read objects; those that have gone are left out."""
        for key in keys:
            if (stored := self._objects.get(key)) is not None:
                yield key, stored.body

    def put(self, key: str, body: bytes) -> str:
        """Write unconditionally."""
        with self._lock:
            return self._write(key, body)

    def create(self, key: str, body: bytes) -> str:
        """Write once. Raises ObjectExists."""
        with self._lock:
            if key in self._objects:
                raise ObjectExists(f"{key} is already written and is never rewritten")
            return self._write(key, body)

    def replace(self, key: str, body: bytes, etag: str) -> str:
        """Write over the object whose ETag is `etag`. Raises ObjectChanged."""
        with self._lock:
            stored = self._objects.get(key)
            if stored is None or stored.etag != etag:
                raise ObjectChanged(f"{key} was changed by another writer")
            return self._write(key, body)

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        """Keys below a prefix in ascending order."""
        with self._lock:
            first = max(bisect_left(self._keys, prefix), bisect_right(self._keys, start_after))
            # No key holds the last code point, so that this is where those below the prefix end.
            return iter(self._keys[first : bisect_left(self._keys, f"{prefix}\U0010ffff")])

    def sizes(self, prefix: str, start_after: str = "") -> Iterator[tuple[str, int]]:
        """Keys below a prefix in ascending order, and how many bytes each object has."""
        for key in self.keys(prefix, start_after):
            if (stored := self._objects.get(key)) is not None:
                yield key, len(stored.body)

    def _write(self, key: str, body: bytes) -> str:
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        if key not in self._objects:
            insort(self._keys, key)
        self._objects[key] = StoredObject(body, etag)
        return etag
