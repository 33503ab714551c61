"""Predictions a second while S3 refuses a tenth of its calls, beside the same process while it refuses none.

The predictor is the deployed code in a process of its own, one request after another as in Lambda, over its own S3
client; S3 is a stand-in on this machine. The two are measured in turn, so that a busy moment of the machine hits both.
Each answer has to be logged once or be replayable from the function's log.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.request import urlopen

from selfheal.replay import replayed
from tests.benchmarks.environments import BUILD, ROOT
from tests.benchmarks.refusals.stand_in import settings, stand_in

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
    with stand_in() as address:
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
    environ = {**os.environ, **settings(address), "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"}
    command = [sys.executable, "-m", "tests.benchmarks.refusals.predictor", str(rounds), str(calls), str(share)]
    done = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stderr.splitlines()[-1]), done.stdout.splitlines()


if __name__ == "__main__":
    main()
