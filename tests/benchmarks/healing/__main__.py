"""Replay the histories under every policy, two at a time, and hold the results against the bars.

One replay is timed, and runs first, alone.

    python -m tests.benchmarks.healing [--only NAME ...] [--table]

What build/bench/healing.json holds already isn't replayed again: delete the file to start anew. `--table` replays
nothing, and puts the table into README.md and docs/backtest.md.
"""

import argparse
import json
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from infra.backtest.records import Backtest
from tests.benchmarks.healing.bars import Results
from tests.benchmarks.healing.histories import at_hand
from tests.benchmarks.healing.replays import TIMED, Job, jobs, replayed
from tests.benchmarks.healing.table import shown, write

OUTPUT = Path("build/bench/healing.json")
AT_A_TIME = 2


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", nargs="*", choices=at_hand(), default=at_hand(), help="these histories alone")
    arguments.add_argument("--table", action="store_true", help="write the tables, replay nothing")
    given = arguments.parse_args()
    found = json.loads(OUTPUT.read_text(encoding="utf-8")) if OUTPUT.exists() else {}
    if given.table:
        print(f"written: {', '.join(map(str, write(results_of(found))))}")
        return
    due = [job for job in jobs() if job.dataset in given.only and job.key not in found.get(job.dataset, {})]
    replay([job for job in due if job == TIMED], found, at_a_time=1)
    replay([job for job in due if job != TIMED], found)
    print(shown(results_of(found)))


def replay(due: list[Job], found: dict[str, dict[str, object]], at_a_time: int = AT_A_TIME) -> None:
    """Fill in what is missing, and write the file after each replay."""
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(at_a_time, mp_context=get_context("forkserver")) as pool:
        waiting: dict[Future[str], Job] = {pool.submit(replayed, job): job for job in due}
        for number, done in enumerate(as_completed(waiting), start=1):
            job = waiting[done]
            found.setdefault(job.dataset, {})[job.key] = json.loads(done.result())
            OUTPUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            verdict = found[job.dataset][job.key]["verdict"]
            print(f"{number}/{len(due)} {job.dataset} {job.key}: {verdict}", flush=True)


def results_of(found: dict[str, dict[str, object]]) -> Results:
    return {name: {key: Backtest.model_validate(one) for key, one in runs.items()} for name, runs in found.items()}


if __name__ == "__main__":
    main()
