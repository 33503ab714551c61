"""A contestant's process, measured: seconds from its start to its first answer, peak memory, seconds of warm calls."""

import json
import os
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
    process = subprocess.Popen(command, env=contestant.environ)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return FirstAnswer(seconds, usage.ru_maxrss / 1024)


def warm_calls(contestant: Contestant, programs: Path, event: Path, calls: int) -> list[float]:
    """Seconds of each of a number of calls in one warm process."""
    command = [str(contestant.python), str(programs / "answer_often.py"), contestant.module, str(event), str(calls)]
    done = subprocess.run(command, env=contestant.environ, capture_output=True, text=True, check=True)
    seconds: list[float] = json.loads(done.stdout)
    return seconds
