"""Replay the histories under every policy, two at a time, and hold the results against the bars.

    python -m tests.benchmarks.healing [--only NAME ...] [--table]

Each replay is written to build/bench/healing as it ends, and isn't done again: delete the folder to start anew. What
they come to is in build/bench/healing.json. `--table` replays nothing, and puts the tables into README.md and
docs/backtest.md.
"""

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from tests.benchmarks.healing.histories import at_hand
from tests.benchmarks.healing.jobs import Job, jobs, replayed
from tests.benchmarks.healing.outcomes import Outcome
from tests.benchmarks.healing.results import Replays, summary
from tests.benchmarks.healing.table import shown, write

FOLDER, OUTPUT = Path("build/bench/healing"), Path("build/bench/healing.json")
AT_A_TIME = 2


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", nargs="*", choices=at_hand(), default=at_hand(), help="these histories alone")
    arguments.add_argument("--table", action="store_true", help="write the tables, replay nothing")
    given = arguments.parse_args()
    wanted = [job for job in jobs() if job.dataset in given.only]
    if not given.table:
        replay([job for job in wanted if not _file(job).exists()])
    found = read(wanted)
    OUTPUT.write_text(json.dumps(summary(found), indent=1) + "\n", encoding="utf-8")
    print(f"written: {', '.join(map(str, write(found)))}" if given.table else shown(found))


def replay(due: Sequence[Job]) -> None:
    """Write the file of each replay that is missing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with ProcessPoolExecutor(AT_A_TIME, mp_context=get_context("forkserver")) as pool:
        waiting = {pool.submit(replayed, job): job for job in due}
        for number, done in enumerate(as_completed(waiting), start=1):
            job = waiting[done]
            _file(job).write_text(json.dumps(done.result(), indent=1) + "\n", encoding="utf-8")
            print(f"{number}/{len(due)} {job.key}, {time.monotonic() - began:.0f} s in all", flush=True)


def read(wanted: Sequence[Job]) -> Replays:
    """The replays that there are."""
    bodies = {job: json.loads(_file(job).read_text(encoding="utf-8")) for job in wanted if _file(job).exists()}
    return {job: {name: Outcome.model_validate(one) for name, one in body.items()} for job, body in bodies.items()}


def _file(job: Job) -> Path:
    return FOLDER / f"{job.key}.json"


if __name__ == "__main__":
    main()
