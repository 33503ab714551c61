"""How often an unchanged world is called changed, in a single look."""

import numpy as np

from selfheal.drift import Reference
from tests.benchmarks.drift.evidently_rule import DATASET_SHARE, drifted_columns
from tests.benchmarks.drift.worlds import CREDIT, World, normal_contract, normal_rows
from tests.support.drift import judged

SIZES = (200, 500, 1000, 2000, 5000)
REFERENCE_ROWS = 10_000
LEVEL = 0.05
POLICY = CREDIT.policy.monitoring


def single_look_rates(world: World, repetitions: int = 400) -> dict[str, dict[str, float]]:
    """Rates by rule and window size; each repetition draws its reference anew."""
    rng = np.random.default_rng(1)
    counts = {rule: dict.fromkeys(map(str, SIZES), 0) for rule in ("detection", "drift", "evidently", "any_feature")}
    for _ in range(repetitions):
        rows = world(rng, REFERENCE_ROWS + sum(SIZES))
        before, rest = rows.iloc[:REFERENCE_ROWS], rows.iloc[REFERENCE_ROWS:]
        reference = Reference(before.reset_index(drop=True), CREDIT)
        for size in SIZES:
            window, rest = rest.iloc[:size].reset_index(drop=True), rest.iloc[size:]
            verdict = judged(reference, window, POLICY, LEVEL)
            theirs = drifted_columns(before, window, verdict.features)
            counts["detection"][str(size)] += verdict.detection.detected
            counts["drift"][str(size)] += verdict.drift_detected
            counts["evidently"][str(size)] += theirs / len(verdict.features) >= DATASET_SHARE
            counts["any_feature"][str(size)] += theirs > 0
    return {rule: {size: count / repetitions for size, count in by.items()} for rule, by in counts.items()}


def large_window_rates(repetitions: int = 30, rows: int = 1_000_000) -> dict[str, float]:
    """Detection with windows far larger than the reference, for independent and for strongly correlated features."""
    contract, found = normal_contract(), {}
    for name, correlation in (("independent", 0.0), ("correlated", 0.9)):
        rng = np.random.default_rng(2)
        window = normal_rows(rng, rows, correlation)
        # The window's own noise is a tenth of the reference's: drawing the reference anew is what matters.
        detected = [
            judged(Reference(normal_rows(rng, 3000, correlation), contract), window, POLICY, LEVEL).detection.detected
            for _ in range(repetitions)
        ]
        found[name] = float(np.mean(detected))
    return found
