"""Fifty promotions at once, from real processes of several threads each, over files with S3's conditional writes."""

import fcntl
import hashlib
import multiprocessing
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from selfheal.errors import ObjectChanged, ObjectExists, ObjectMissing
from selfheal.records.healing import Healing, Verdict
from selfheal.stores.bucket import StoredObject
from selfheal.stores.collection import Stores
from selfheal.usecases.heal.conclude import conclude
from tests.support.healing import DAY, START, healed_environment, write_version

PROCESSES, THREADS = 5, 10
PROMOTE = Verdict(version="v2", kind="promote", reason="all gates passed", gates=(), evidence=None)


class FileBucket:
    """A folder as a bucket that processes share: a key appears whole and once, a replacement compares under a lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def get(self, key: str) -> StoredObject:
        try:
            body = self._file(key).read_bytes()
        except FileNotFoundError:
            raise ObjectMissing(key) from None
        return StoredObject(body, hashlib.sha256(body).hexdigest())

    def get_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        return ((key, self.get(key).body) for key in keys)

    def create(self, key: str, body: bytes) -> str:
        try:
            os.link(self._draft(body), self._file(key))
        except FileExistsError:
            raise ObjectExists(key) from None
        return hashlib.sha256(body).hexdigest()

    def replace(self, key: str, body: bytes, etag: str) -> str:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.get(key).etag != etag:
                raise ObjectChanged(key)
            self._draft(body).replace(self._file(key))
        return hashlib.sha256(body).hexdigest()

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        known = sorted(file.name.replace("|", "/") for file in self.folder.glob("*|*"))
        return (key for key in known if key.startswith(prefix) and key > start_after)

    def sizes(self, prefix: str, start_after: str = "") -> Iterator[tuple[str, int]]:
        return ((key, self._file(key).stat().st_size) for key in self.keys(prefix, start_after))

    def _file(self, key: str) -> Path:
        return self.folder / key.replace("/", "|")

    def _draft(self, body: bytes) -> Path:
        draft = self.folder / f"draft-{os.getpid()}-{threading.get_ident()}"
        draft.unlink(missing_ok=True)
        draft.write_bytes(body)
        return draft


def stores_at(folder: Path) -> Stores:
    return Stores(FileBucket(folder / "data"), FileBucket(folder / "registry"))


def promote_many(folder: Path, healing: Healing, process: int, gate: "multiprocessing.synchronize.Barrier") -> None:
    stores = stores_at(folder)

    def promote(thread: int) -> bool:
        mine = healing.model_copy(update={"execution": f"v1-{process * THREADS + thread}"})
        return conclude(stores, mine, PROMOTE, START + 10 * DAY).applied

    gate.wait()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(promote, range(THREADS)))


def test_fifty_promotions_from_five_processes_have_one_winner(tmp_path: Path):
    """One promotion is done, forty-nine are named conflicts, and the ledger is whole, without a gap."""
    stores, healing = healed_environment(stores=stores_at(tmp_path))
    write_version(stores, "v3", slope=1.0)
    # From a process that has imported all of it once: five times that would take longer than the race.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    gate = context.Barrier(PROCESSES)
    workers = [context.Process(target=promote_many, args=(tmp_path, healing, n, gate)) for n in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    kinds = [(entry.decision or entry.outcome).kind for entry in stores.ledger.entries()]
    assert [kinds.count(kind) for kind in ("promote", "done", "conflict", "failed")] == [50, 2, 49, 49]
    winner = next(
        e.outcome.decision_id for e in list(stores.ledger.entries())[2:] if e.outcome and e.outcome.kind == "done"
    )
    assert stores.pointer.read().pointer.decision_id == winner
