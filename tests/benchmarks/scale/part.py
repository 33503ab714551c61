"""One part of a day: the summary of one hour, kept beside the others; a program alone, so that its peak is its own."""

import json
import sys
import time
from pathlib import Path

from folder import FolderBucket
from monitored import kilobytes

from selfheal.monitoring.window import WindowSummary
from selfheal.stores.collection import Stores
from selfheal.tables.sample import id_hashes
from selfheal.usecases.monitor.hours import HourSummaries
from selfheal.usecases.monitor.inputs import read_production
from tests.support.monitoring import HOUR, START


def main(folder: Path, number: int) -> None:
    stores = Stores(FolderBucket(folder / "data"), FolderBucket(folder / "registry"))
    production, start = read_production(stores), START + number * HOUR
    version, contract = production.manifest.version, production.contract
    summaries = HourSummaries.since(stores, version, contract, production.reference, start)
    seconds = time.process_time()
    rows = 0
    for hour in stores.history.hours(start, start + HOUR, contract):
        made = hour.rows()
        hashes = id_hashes(made.prediction_ids)
        summaries.keep(hour, made, hashes, WindowSummary.of(made, hashes, production.reference))
        rows += len(made)
    found = {"rows": rows, "seconds": time.process_time() - seconds, "peak_mb": kilobytes("VmHWM") / 1024}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
