"""Time and memory for a million rows by ten features, each tool in a process of its own."""

import json
import subprocess
import sys
from textwrap import dedent

from tests.benchmarks.environments import NotInstallable, environment

ROWS, REFERENCE_ROWS, FEATURES = 1_000_000, 30_000, 10

DATA = f"""
import json, sys, time, warnings
from pathlib import Path
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
rng = np.random.default_rng(0)
names = [f"f{{i}}" for i in range({FEATURES})]
reference = pd.DataFrame(rng.lognormal(size=({REFERENCE_ROWS}, {FEATURES})), columns=names)
window = pd.DataFrame(rng.lognormal(size=({ROWS}, {FEATURES})), columns=names)
"""
MEASURE = """
def kilobytes(name):
    status = Path("/proc/self/status").read_text()
    return int(status.split(name + ":")[1].split()[0])
Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
before = kilobytes("VmRSS")
start = time.process_time()
run()
seconds = time.process_time() - start
memory = (kilobytes("VmHWM") - before) * 1024
print(json.dumps({"seconds": seconds, "bytes": memory}))
"""
OURS = """
from selfheal.drift import Reference, judge_drift
from tests.benchmarks.drift.worlds import CREDIT, normal_contract
known = Reference(reference, normal_contract())
known.null(1e6)
def run():
    assert judge_drift(known, known.summary_of(window), CREDIT.policy.monitoring, 0.05).detection.n == len(window)
"""
EVIDENTLY = """
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
columns = DataDefinition(numerical_columns=names)
def report(before, after):
    known, new = (Dataset.from_pandas(rows, data_definition=columns) for rows in (before, after))
    return Report([DataDriftPreset()]).run(new, known).dict()
report(reference.head(2000), reference.head(2000))
def run():
    report(reference, window)
"""
# Where Evidently isn't installed: what its documentation says that it computes, by scipy, and nothing else.
ITS_RULE = """
from scipy.stats import wasserstein_distance
def run():
    for name in names:
        wasserstein_distance(reference[name].dropna(), window[name].dropna()) / reference[name].std()
"""


def speed() -> dict[str, float | str]:
    """CPU seconds and additional peak memory: ours, and Evidently's (or its rule by scipy) over ours."""
    ours = _measured(sys.executable, OURS)
    name, theirs = "evidently", _of_evidently()
    if theirs is None:
        name, theirs = "its rule by scipy", _measured(sys.executable, ITS_RULE)
    return {
        "compared_with": name,
        "seconds": ours["seconds"],
        "their_seconds": theirs["seconds"],
        "speedup": theirs["seconds"] / ours["seconds"],
        "megabytes": ours["bytes"] / 1e6,
        "memory_ratio": ours["bytes"] / max(theirs["bytes"], 1),
    }


def _of_evidently() -> dict[str, float] | None:
    try:
        return _measured(str(environment("evidently", "evidently==0.7.23", "pandas<3")), EVIDENTLY)
    except NotInstallable:
        return None


def _measured(python: str, body: str) -> dict[str, float]:
    program = dedent(DATA) + body + MEASURE
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])
