"""A step of the roll-up of large hours; a program alone, so that its peak is its own."""

import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from folder import FolderBucket
from monitored import kilobytes

from selfheal.records.hours import HourPlan
from selfheal.stores.collection import Stores
from selfheal.usecases.roll_up.part import roll_up_part
from selfheal.usecases.roll_up.plan import plan_hour
from selfheal.usecases.roll_up.reduce import reduce_hour


def main(folder: Path, step: str, *about: str) -> None:
    """`plan` takes hours and `reduce` plans, one after the other; `part` takes one plan and one of its parts."""
    stores = Stores(FolderBucket(folder / "data"), FolderBucket(folder / "registry"))
    seconds, elapsed = time.process_time(), time.monotonic()
    if step == "plan":
        plans = [plan_hour(stores, datetime.fromisoformat(hour)) for hour in about]
        asked = [(plan.model_dump_json(), part) for plan in plans for part in stores.hour_parts.planned(plan.manifest)]
        found: dict[str, Any] = {"plans": [plan.model_dump_json() for plan in plans], "parts": asked}
    elif step == "part":
        found = roll_up_part(stores, HourPlan.model_validate_json(about[0]), about[1]).model_dump()
    else:
        done = [reduce_hour(stores, HourPlan.model_validate_json(plan)) for plan in about]
        found = {"whole": all(one.whole for one in done)}
    found |= {"seconds": time.process_time() - seconds, "elapsed": time.monotonic() - elapsed}
    sys.stdout.write(json.dumps({**found, "peak_mb": kilobytes("VmHWM") / 1024}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
