"""A bucket in a folder, so that what is stored doesn't count as what a process needs; no conditions, one writer."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from selfheal.errors import ObjectExists, ObjectMissing
from selfheal.stores.bucket import StoredObject


class FolderBucket:
    """One file an object."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> StoredObject:
        try:
            body = (self._folder / key).read_bytes()
        except FileNotFoundError:
            raise ObjectMissing(f"nothing is stored under {key}") from None
        return StoredObject(body, hashlib.md5(body, usedforsecurity=False).hexdigest())

    def download(self, key: str, file: BinaryIO) -> str:
        stored = self.get(key)
        file.write(stored.body)
        return stored.etag

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        stored = self.get(key)
        return None if stored.etag == etag else stored

    def get_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for key in keys:
            if (self._folder / key).is_file():
                yield key, (self._folder / key).read_bytes()

    def put(self, key: str, body: bytes) -> str:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return hashlib.md5(body, usedforsecurity=False).hexdigest()

    def create(self, key: str, body: bytes) -> str:
        if (self._folder / key).exists():
            raise ObjectExists(f"{key} is already written")
        return self.put(key, body)

    def replace(self, key: str, body: bytes, etag: str) -> str:
        del etag
        return self.put(key, body)

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        found = (str(path.relative_to(self._folder)) for path in self._folder.rglob("*") if path.is_file())
        return iter(sorted(key for key in found if key.startswith(prefix) and key > start_after))

    def sizes(self, prefix: str, start_after: str = "") -> Iterator[tuple[str, int]]:
        return ((key, (self._folder / key).stat().st_size) for key in self.keys(prefix, start_after))
