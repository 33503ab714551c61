"""All of it, as a table and as `build/bench/drift.json`."""

import json
import time
from pathlib import Path

from tests.benchmarks.drift.days import unchanged_days
from tests.benchmarks.drift.diagnosis import confusion
from tests.benchmarks.drift.estimation import estimation_errors
from tests.benchmarks.drift.false_alarms import large_window_rates, single_look_rates
from tests.benchmarks.drift.kinds import rates_of_kinds
from tests.benchmarks.drift.power import power_curves
from tests.benchmarks.drift.speed import speed
from tests.benchmarks.drift.worlds import worlds

OUT = Path(__file__).parents[3] / "build" / "bench" / "drift.json"


def main() -> None:
    started = time.monotonic()
    rates = {}
    for name, world in worlds().items():
        rates[name] = single_look_rates(world)
        for rule, by_size in rates[name].items():
            print(f"false alarms  {name:10} {rule:12}", *(f"n={n}: {rate:6.1%}" for n, rate in by_size.items()))
    large = large_window_rates()
    print("false alarms  n=1,000,000, reference of 3,000:", *(f"{k} features: {v:.1%}" for k, v in large.items()))
    kinds = rates_of_kinds()
    for name, by_rule in kinds.items():
        for rule, by_size in by_rule.items():
            print(f"false alarms  {name:10} {rule:12}", *(f"n={n}: {rate:6.1%}" for n, rate in by_size.items()))
    power = power_curves()
    for point in power:
        print("power        ", *(f"{name}={value:g}" for name, value in point.items()))
    days = unchanged_days()
    print("unchanged days with an alarm:", *(f"{name}: {rate:.2%}" for name, rate in days.items()))
    matrix = confusion()
    for cause, found in matrix.items():
        print(f"diagnosis     {cause:16}", *(f"{name}: {share:.0%}" for name, share in found.items() if share))
    fast = speed()
    print("speed        ", *(f"{name}={value}" for name, value in fast.items()))
    errors = estimation_errors()
    print("estimation   ", *(f"{name}={value}" for name, value in errors.items()))
    result = {
        "false_alarm": {name: by["detection"] for name, by in rates.items()},
        "false_alarm_drift": {name: by["drift"] for name, by in rates.items()},
        "false_alarm_evidently": {name: by["evidently"] for name, by in rates.items()},
        "false_alarm_any_feature": {name: by["any_feature"] for name, by in rates.items()},
        "false_alarm_large": large,
        "false_alarm_by_labels": kinds,
        "unchanged_days": days,
        "power": power,
        "diagnosis": matrix,
        "evidently_speedup": fast["speedup"],
        "evidently_memory_ratio": fast["memory_ratio"],
        "speed": fast,
        "estimation_error_vs_nannyml": errors["ratio"],
        "estimation": errors,
        "seconds": time.monotonic() - started,
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written to {OUT.relative_to(Path.cwd()) if OUT.is_relative_to(Path.cwd()) else OUT}")


if __name__ == "__main__":
    main()
