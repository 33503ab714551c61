"""Many predictions: asked over HTTP, rolled up in parts and judged, and what they cost; build/bench/scale.json.

    python -m tests.benchmarks.scale [--only load day bill] [--requests N] [--rows N ...]

What isn't run keeps its earlier figures. The bill follows from the rate at which a part was rolled up.
"""

import argparse
import sys

from tests.benchmarks.scale.bill import bill
from tests.benchmarks.scale.large_day import SIZES, large_day
from tests.benchmarks.scale.load import REQUESTS, loads
from tests.benchmarks.scale.told import earlier, tell

PARTS = ("load", "day", "bill")


def main() -> None:
    """Measure, tell, and fail where a prediction was lost or a verdict differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    given = parser.parse_args()
    if len(given.rows) < 2:
        parser.error("how time grows with rows needs two sizes")
    if "load" in given.only:
        tell(loads(given.requests))
    if "day" in given.only:
        tell(large_day(given.rows))
    if "bill" in given.only:
        tell(bill(earlier()["part_rows_per_second"]))
    found = earlier()
    if found.get("lost") or not found.get("verdict_equal", True):
        sys.exit("predictions are neither logged nor replayable, or a verdict differs")


if __name__ == "__main__":
    main()
