"""A contestant's process, measured: seconds from its start to its first answer, peak memory, seconds of warm calls."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.serving.contestants import Contestant


@dataclass(frozen=True)
class FirstAnswer:
    """Wall time in seconds of a whole process that answers once, and its peak resident memory in MB."""

    seconds: float
    peak_mb: float


def first_answer(contestant: Contestant, programs: Path, event: Path) -> FirstAnswer:
    """Start, answer once, end."""
    command = [str(contestant.python), str(programs / "answer_once.py"), contestant.module, str(event)]
    started = time.perf_counter()
    done = subprocess.run(command, env=contestant.environ, capture_output=True, text=True, check=True)
    return FirstAnswer(time.perf_counter() - started, int(done.stdout) / 1024)


def warm_calls(contestant: Contestant, programs: Path, event: Path, calls: int) -> list[float]:
    """Seconds of each of a number of calls in one warm process."""
    command = [str(contestant.python), str(programs / "answer_often.py"), contestant.module, str(event), str(calls)]
    done = subprocess.run(command, env=contestant.environ, capture_output=True, text=True, check=True)
    seconds: list[float] = json.loads(done.stdout)
    return seconds
