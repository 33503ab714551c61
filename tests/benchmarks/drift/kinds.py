"""How often labels of an unchanged world of several classes, or of numbers, are called decay or another meaning."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from selfheal.drift import Reference
from selfheal.monitoring.diagnosis import diagnose
from selfheal.monitoring.judgement import MINIMUM_DECAY
from selfheal.performance.decay import judge_decay
from selfheal.tables.dataset import Dataset
from selfheal.tasks import Scored, task_for
from selfheal.tasks.port import Labels
from selfheal.training import train
from tests.benchmarks.drift.false_alarms import LEVEL
from tests.benchmarks.gates.kinds import Kind, classes, numbers

TRAINED_ON = 4_000
MODELS, WINDOWS = 12, 36
SIZES = (200, 500, 1000, 2000)
WORLDS: dict[str, Callable[[], tuple[pd.DataFrame, Labels, Kind]]] = {"classes": classes, "numbers": numbers}


def rates_of_kinds() -> dict[str, dict[str, dict[str, float]]]:
    """By world, rule and number of labelled rows: shares of single looks.

    decay: what a run says, a loss that is both surely and by a twentieth higher. decay_test: its test alone. cause: the
    labels are said to mean something else. Each of 12 models is trained anew, and looked at 36 times for each size.
    """
    return {name: _rates(*read()) for name, read in WORLDS.items()}


def _rates(features: pd.DataFrame, labels: Labels, kind: Kind) -> dict[str, dict[str, float]]:
    counts = {rule: dict.fromkeys(map(str, SIZES), 0) for rule in ("decay", "decay_test", "cause")}
    for seed in range(MODELS):
        order = np.random.default_rng([41, seed]).permutation(len(labels))
        rows = Dataset(
            np.array([f"base-{row:06d}" for row in order], dtype=object),
            np.datetime64("2026-01-01", "us") + np.arange(len(order)) * np.timedelta64(1, "s"),
            features.iloc[order].reset_index(drop=True),
            labels[order],
        )
        _looked_at(rows, kind, counts)
    return {rule: {size: count / (MODELS * WINDOWS) for size, count in by.items()} for rule, by in counts.items()}


def _looked_at(rows: Dataset, kind: Kind, counts: dict[str, dict[str, int]]) -> None:
    """Train on the first rows, look at windows of the others."""
    known = rows.take(slice(0, TRAINED_ON))
    model, task = train(known, kind.contract), task_for(kind.contract, known.labels)
    reference = Reference(known.features, kind.contract)
    tuning = known.take(slice(TRAINED_ON - len(model.tuning_probabilities), None))
    promised = Scored(model.tuning_probabilities, tuning.labels, reference.traits(tuning.features))
    losses, start = task.losses(promised.answers, promised.labels), TRAINED_ON
    for size in np.repeat(SIZES, WINDOWS).tolist():
        window = rows.take(slice(start, start + size))
        start += size
        said = model.fitted.probabilities(window.features)
        decay = judge_decay(
            said, window.labels, losses, level=LEVEL, minimum_rows=200, minimum_increase=MINIMUM_DECAY, task=task
        )
        recent = Scored(said, window.labels, reference.traits(window.features))
        found = diagnose((), None, promised, recent, 200, task=task)
        counts["decay"][str(size)] += decay.decayed
        counts["decay_test"][str(size)] += decay.p_value is not None and decay.p_value <= LEVEL
        counts["cause"][str(size)] += found.cause != "none"
