"""A bucket in memory that keeps which objects were read."""

from collections.abc import Iterable, Iterator

from selfheal.stores.bucket import StoredObject
from selfheal.stores.memory import MemoryBucket


class ReadBucket(MemoryBucket):
    """`read`: the keys in the order in which they were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def get(self, key: str) -> StoredObject:
        self.read.append(key)
        return super().get(key)

    def get_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        asked = list(keys)
        self.read += asked
        return super().get_many(asked)
