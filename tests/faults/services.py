"""Buckets, topic and state machine service in memory, each call of which goes through the world's injector."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from selfheal.errors import HealingRefused
from selfheal.records.healing import Healing
from selfheal.stores.bucket import StoredObject
from selfheal.stores.executions import Execution
from selfheal.stores.memory import MemoryBucket
from selfheal.stores.pointer import KEY as POINTER
from tests.faults.injection import Injector, Nothing


@dataclass
class Line:
    """What connects the world with its services; the injector on it can be exchanged."""

    injector: Injector = field(default_factory=Nothing)


class Bucket:
    """A bucket behind the line. `moves` gets the decision of each pointer that is written."""

    def __init__(self, inner: MemoryBucket, line: Line, name: str, moves: list[str]) -> None:
        self._inner, self._line, self._name, self._moves = inner, line, name, moves

    def get(self, key: str) -> StoredObject:
        return self._line.injector.call(f"{self._name} get {key}", lambda: self._inner.get(key))

    def download(self, key: str, file: BinaryIO) -> str:
        return self._line.injector.call(f"{self._name} get {key}", lambda: self._inner.download(key, file))

    def get_if_changed(self, key: str, etag: str) -> StoredObject | None:
        return self._line.injector.call(f"{self._name} get {key}", lambda: self._inner.get_if_changed(key, etag))

    def get_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = list(keys)
        for position, found in enumerate(self._inner.get_many(wanted)):
            # All reads of a batch are alike: one at its start and one in its middle stand for them.
            if position in {0, len(wanted) // 2}:
                self._line.injector.call(f"{self._name} get {found[0]}", lambda: None)
            yield found

    def put(self, key: str, body: bytes) -> str:
        return self._line.injector.call(f"{self._name} put {key}", lambda: self._inner.put(key, body))

    def create(self, key: str, body: bytes) -> str:
        return self._line.injector.call(f"{self._name} create {key}", lambda: self._created(key, body))

    def replace(self, key: str, body: bytes, etag: str) -> str:
        return self._line.injector.call(f"{self._name} replace {key}", lambda: self._replaced(key, body, etag))

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        found = self._line.injector.call(
            f"{self._name} list {prefix}", lambda: list(self._inner.keys(prefix, start_after))
        )
        return iter(found)

    def sizes(self, prefix: str, start_after: str = "") -> Iterator[tuple[str, int]]:
        found = self._line.injector.call(
            f"{self._name} list {prefix}", lambda: list(self._inner.sizes(prefix, start_after))
        )
        return iter(found)

    def _created(self, key: str, body: bytes) -> str:
        etag = self._inner.create(key, body)
        self._moved(key, body)
        return etag

    def _replaced(self, key: str, body: bytes, etag: str) -> str:
        written = self._inner.replace(key, body, etag)
        self._moved(key, body)
        return written

    def _moved(self, key: str, body: bytes) -> None:
        if key == POINTER:
            self._moves.append(json.loads(body)["decision_id"])


def copy_of(bucket: MemoryBucket) -> MemoryBucket:
    """Another bucket that holds the same."""
    copy = MemoryBucket()
    for key, body in bucket.get_many(list(bucket.keys(""))):
        copy.put(key, body)
    return copy


@dataclass
class Topic:
    """Keeps what was sent."""

    line: Line
    sent: list[tuple[str, str]]

    def send(self, subject: str, body: str) -> None:
        self.line.injector.call(f"topic send {subject}", lambda: self.sent.append((subject, body)))


@dataclass
class Machine:
    """Step Functions as the library sees it: a name is taken once; the world runs what was started."""

    line: Line
    statuses: dict[str, str]
    pending: list[Healing]

    def start(self, healing: Healing) -> None:
        self.line.injector.call(f"machine start {healing.execution}", lambda: self._started(healing))

    def recent(self) -> Sequence[Execution]:
        return self.line.injector.call(
            "machine list executions", lambda: [Execution(*item) for item in reversed(self.statuses.items())]
        )

    def _started(self, healing: Healing) -> None:
        if healing.execution in self.statuses:
            raise HealingRefused(f"healing {healing.execution} was started before")
        self.statuses[healing.execution] = "RUNNING"
        self.pending.append(healing)
