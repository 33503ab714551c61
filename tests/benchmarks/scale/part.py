"""One step of an hour's roll-up; a program alone, so that its peak is its own."""

import json
import sys
import time
from datetime import datetime
from pathlib import Path

from folder import FolderBucket
from monitored import kilobytes

from selfheal.records.hours import HourPlan
from selfheal.stores.collection import Stores
from selfheal.usecases.roll_up.part import roll_up_part
from selfheal.usecases.roll_up.plan import plan_hour
from selfheal.usecases.roll_up.reduce import reduce_hour


def main(folder: Path, step: str, about: str, part: str = "") -> None:
    stores = Stores(FolderBucket(folder / "data"), FolderBucket(folder / "registry"))
    seconds, elapsed = time.process_time(), time.monotonic()
    if step == "plan":
        plan = plan_hour(stores, datetime.fromisoformat(about))
        found = {"plan": plan.model_dump_json(), "parts": stores.hour_parts.planned(plan.manifest)}
    elif step == "part":
        found = roll_up_part(stores, HourPlan.model_validate_json(about), part).model_dump()
    else:
        found = reduce_hour(stores, HourPlan.model_validate_json(about)).model_dump(mode="json")
    found |= {"seconds": time.process_time() - seconds, "elapsed": time.monotonic() - elapsed}
    sys.stdout.write(json.dumps({**found, "peak_mb": kilobytes("VmHWM") / 1024}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
