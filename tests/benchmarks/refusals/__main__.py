"""Predictions a second while S3 refuses a tenth of its calls, beside the same process while it refuses none.

The predictor is the deployed code in a process of its own, one request after another as in Lambda, over its own S3
client; S3 is a stand-in on this machine. The two are measured in turn, so that a busy moment of the machine hits both.
Each answer has to be logged once or be replayable from the function's log.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

from selfheal.replay import replayed
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from tests.benchmarks.environments import BUILD, ROOT
from tests.benchmarks.serving.store import CREDENTIALS, SETTINGS, free_port, wait_for
from tests.support.serving import promote, write_version

ROUNDS, CALLS = 60, 200
SHARE = 0.1
WANTED = 0.9
OUT = BUILD / "refusals.json"


@dataclass(frozen=True)
class Measured:
    """Predictions a second by round, without and with refusals; answers in all, and those that were told for replay."""

    calm: tuple[float, ...]
    refused: tuple[float, ...]
    answered: int
    replayable: int

    @property
    def ratio(self) -> float:
        """The rate while calls are refused over the rate while none is: the median of the rounds."""
        return median(refused / calm for calm, refused in zip(self.calm, self.refused, strict=True))


def main() -> None:
    """Measure, tell, and fail where an answer was lost or the rate is too low."""
    found = measure(ROUNDS, CALLS, SHARE)
    result = {
        "ratio": found.ratio,
        "rate": median(found.calm),
        "rate_while_refused": median(found.refused),
        "answered": found.answered,
        "replayable": found.replayable,
    }
    BUILD.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for name, value in result.items():
        print(f"{name:20} {value:12,.3f}")
    if found.ratio < WANTED:
        sys.exit(f"predictions go on at {found.ratio:.1%} of their rate; {WANTED:.0%} are wanted")


def measure(rounds: int, calls: int, share: float) -> Measured:
    """One predictor over one stand-in. Raises AssertionError where a request isn't answered or an answer is lost."""
    with tempfile.TemporaryDirectory() as folder, _stand_in(_registry(Path(folder))) as address:
        told, log = _told(address, rounds, calls, share)
        with urlopen(f"{address}/written") as answer:  # noqa: S310 - on this machine
            written: dict[str, int] = json.load(answer)
    stored = {path.rsplit("/", 1)[-1].removesuffix(".jsonl") for path in written}
    replayable = {request.request_id for request in replayed(log) if request.body}
    lost = {key.partition("-")[0] for key in told["ids"]} - stored - replayable
    assert len(told["ids"]) == told["asked"], f"{told['asked'] - len(told['ids'])} requests were not answered"
    assert not lost, f"{len(lost)} of {told['asked']} answers are neither logged nor replayable"
    calm, refused = zip(*told["rates"], strict=True)
    return Measured(calm, refused, told["asked"], len(replayable))


def _told(address: str, rounds: int, calls: int, share: float) -> tuple[Mapping[str, Any], list[str]]:
    """What a predictor measured of itself, and its log."""
    environ = {**os.environ, **CREDENTIALS, **SETTINGS, "AWS_ENDPOINT_URL": address}
    environ |= {
        "SELFHEAL_REGISTRY_BUCKET": "registry",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}",
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "-m", "tests.benchmarks.refusals.predictor", str(rounds), str(calls), str(share)]
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stderr.splitlines()[-1]), done.stdout.splitlines()


@contextmanager
def _stand_in(registry: Path) -> Iterator[str]:
    """The address of a stand-in for S3, as long as the block lasts."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.refusals.store", str(port), str(registry)]
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _registry(folder: Path) -> Path:
    """A version in production, made by hand: the less its answer costs, the more S3's refusals weigh."""
    stores = Stores(MemoryBucket(), MemoryBucket())
    write_version(stores, "v1")
    promote(stores, "v1")
    for key, body in stores.registry_bucket.get_many(stores.registry_bucket.keys("")):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return folder


if __name__ == "__main__":
    main()
