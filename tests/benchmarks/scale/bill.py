"""What 10^8 and 10^9 predictions a day cost by `selfheal cost`, and how long an hour of them takes to roll up."""

import json
from typing import Any

from selfheal_tools.cost import monthly_bill
from selfheal_tools.environments import environment
from tests.benchmarks.environments import ROOT

MACHINE = ROOT / "infra" / "cloud" / "hour_roll_up.asl.json"
A_DAY = {"1e8": 1e8, "1e9": 1e9}


def bill(part_rows_per_second: float) -> dict[str, Any]:
    """Dollars by log, the cheaper one's as `monthly_…`; seconds of an hour's map at as many parts as run at once."""
    stage, at_once = environment("prod"), _parts_at_once()
    found: dict[str, Any] = {}
    for name, predictions in A_DAY.items():
        logs = {
            log: sum(monthly_bill(stage.logging_by(log), requests_per_day=predictions).values())
            for log in ("s3", "firehose")
        }
        found[f"monthly_{name}"] = min(logs.values())
        found[f"monthly_{name}_by_log"] = logs
        found[f"hour_map_seconds_{name}"] = predictions / 24 / (at_once * part_rows_per_second)
    return found


def _parts_at_once() -> int:
    states = json.loads(MACHINE.read_text(encoding="utf-8"))["States"]
    (at_once,) = {state["MaxConcurrency"] for state in states.values() if state["Type"] == "Map"}
    return int(at_once)
