"""The stand-in for S3 and Firehose as a process of its own, with a version in production."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from tests.benchmarks.environments import ROOT
from tests.benchmarks.serving.store import CREDENTIALS, SETTINGS, free_port, wait_for
from tests.support.serving import promote, write_version

STREAM = "predictions"


def settings(address: str) -> dict[str, str]:
    """What a predictor's environment says, for the stand-in at this address."""
    own = {"AWS_ENDPOINT_URL": address, "SELFHEAL_REGISTRY_BUCKET": "registry", "OMP_NUM_THREADS": "1"}
    return {**CREDENTIALS, **SETTINGS, **own}


@contextmanager
def stand_in() -> Iterator[str]:
    """Its address, as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        _write_registry(Path(folder))
        port = free_port()
        command = [sys.executable, "-m", "tests.benchmarks.refusals.store", str(port), folder]
        server = subprocess.Popen(command, cwd=ROOT)
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _write_registry(folder: Path) -> None:
    """A version in production, made by hand: the less its answer costs, the more refusals weigh."""
    stores = Stores(MemoryBucket(), MemoryBucket())
    write_version(stores, "v1")
    promote(stores, "v1")
    for key, body in stores.registry_bucket.get_many(stores.registry_bucket.keys("")):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
