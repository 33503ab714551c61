"""One monitoring run over buckets in folders, and what it took; a program alone, so that any release can run it."""

import json
import sys
import time
from datetime import datetime
from pathlib import Path

from folder import FolderBucket

from selfheal.records.monitoring import DriftSummary
from selfheal.stores.collection import Stores
from selfheal.usecases.monitor.monitor import monitor
from tests.support.healing import FakeExecutions, FakeNotifications


def kilobytes(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{name}:")[1].split()[0])


def main(folder: Path, now: datetime) -> None:
    stores = Stores(FolderBucket(folder / "data"), FolderBucket(folder / "registry"))
    before, started, seconds = kilobytes("VmRSS"), time.monotonic(), time.process_time()
    result = monitor(stores, FakeExecutions(), FakeNotifications(), now=now, schedule_minutes=60)
    summary = DriftSummary.model_validate_json(stores.monitoring.read(result.summary))
    found = {
        "seconds": time.process_time() - seconds,
        "elapsed": time.monotonic() - started,
        "peak_mb": kilobytes("VmHWM") / 1024,
        "added_mb": (kilobytes("VmHWM") - before) / 1024,
        "predictions": result.num_predictions,
        "labelled": summary.coverage.labelled,
        "verdict": summary.verdict,
        "p_values": {feature.feature: feature.p_value for feature in summary.features},
        "effects": {feature.feature: feature.effect_size for feature in summary.features},
        "distances": {feature.feature: feature.drift_score for feature in summary.features},
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2]))
