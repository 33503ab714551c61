"""How often the gates let equal, worse and better models in, and how often probation takes a version back.

    python -m tests.benchmarks.gates [--trials N] [--only WORLD ...]

Models are trained on disjoint draws of the same rows, many and few; two good ones that differ by less than 0.2 % of
their mean loss (over 50,000 rows that none has seen) are equal, one that is at least 7 % higher is worse. A trial
draws fresh labelled rows and judges a pair; for "better" it judges the pair of "worse" the other way round. Blends are
judged as a service makes them, a course of twenty trainings at a time.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from selfheal.tasks import BINARY
from selfheal.tasks.port import Labels
from tests.benchmarks.drift.worlds import GMSC
from tests.benchmarks.gates import blends, pairs
from tests.benchmarks.gates.kinds import Kind, classes, numbers, of_two_values
from tests.benchmarks.gates.probations import rolled_back
from tests.benchmarks.gates.worlds import from_file, generated, world_of

OUTPUT = Path("build/bench/gates.json")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--trials", type=int, default=2000)
    arguments.add_argument("--only", nargs="*", help="these worlds alone: gmsc, generator, classes, numbers")
    given = arguments.parse_args()
    began = time.monotonic()
    sources: dict[str, Callable[[], tuple[pd.DataFrame, Labels, Kind]]] = {
        "generator": lambda: (*generated(), of_two_values()),
        "classes": classes,
        "numbers": numbers,
    }
    if GMSC.exists():
        sources = {"gmsc": lambda: (*from_file(GMSC), of_two_values()), **sources}
    sources = {name: read for name, read in sources.items() if name in (given.only or sources)}
    found: dict[str, dict] = {"promoted": {}, "promoted_seed_gates": {}, "blends": {}}
    for name, read in sources.items():
        world = world_of(*read())
        tables = pairs.promoted(world, given.trials)
        for table, rates in zip(("promoted", "promoted_seed_gates"), tables, strict=True):
            found[table][name] = rates
        found["blends"][name] = blends.blends_promoted(world, given.trials)
        if world.kind.task is BINARY and "rolled_back" not in found:
            found["rolled_back"] = rolled_back(world, given.trials)
    found["gate_7_alone"] = {name: rates.pop("paired_loss_equal") for name, rates in found["promoted"].items()}
    found["trials"], found["seconds"] = given.trials, round(time.monotonic() - began)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    report(found)


def report(found: dict) -> None:
    for table, sizes in (("promoted", pairs.SIZES), ("promoted_seed_gates", pairs.SIZES), ("blends", blends.SIZES)):
        print(f"{table:42}" + "".join(f"{size:>8}" for size in sizes))
        for source, rates in found[table].items():
            for kind, by_size in rates.items():
                print(f"  {source:12}{kind:28}", end="")
                print("".join(f"{rate:8.3f}" for rate in by_size.values()))
    print(f"rolled back: {found.get('rolled_back')}; {found['trials']} trials each, {found['seconds']} s -> {OUTPUT}")


if __name__ == "__main__":
    main()
