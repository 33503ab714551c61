"""Diagnosis against simulated truth: which cause is named how often."""

from collections import Counter

import numpy as np
import pandas as pd

from selfheal.monitoring.diagnosis import diagnose
from selfheal.monitoring.quality import faults
from selfheal.tasks import Scored
from selfheal_tools.simulation.credit import INCOME, Phase, credit_rows
from tests.benchmarks.drift.trained import answers, trained
from tests.benchmarks.drift.worlds import CREDIT
from tests.support.drift import findings_of, judged

ROWS = 2000
NO_LABELS = Scored(np.zeros(0), np.zeros(0, dtype=np.int8), np.zeros((0, 10)))


def confusion(repetitions: int = 60) -> dict[str, dict[str, float]]:
    """Share of each named cause (inner) where a cause is true (outer): 2,000 rows, all labelled but in `unlabelled`."""
    rng = np.random.default_rng(6)
    worlds = {
        "none": _calm,
        "pipeline_fault": _broken,
        "covariate_drift": _stressed,
        "prior_shift": _more_positives,
        "concept_drift": _changed,
        "cannot_tell": _stressed,
    }
    found = {}
    for cause, world in worlds.items():
        named = Counter(_named(*world(rng), labelled=cause != "cannot_tell") for _ in range(repetitions))
        found[cause] = {name: count / repetitions for name, count in named.items()}
    return found


def _named(features: pd.DataFrame, labels: np.ndarray, *, labelled: bool) -> str:
    model, tuning, reference = trained()
    findings = findings_of(reference, features)
    drift = judged(reference, features, CREDIT.policy.monitoring, 0.05 / 12)
    recent = Scored(answers(features)[0], labels, reference.traits(features)) if labelled else NO_LABELS
    promised = Scored(model.tuning_probabilities, tuning.labels, reference.traits(tuning.features))
    return diagnose(faults(findings), drift, promised, recent, CREDIT.policy.retraining.minimum_labels).cause


def _calm(rng: np.random.Generator):
    return credit_rows(rng, ROWS)


def _broken(rng: np.random.Generator):
    """One of four faults: income in thousands, income gone, a frozen age, a swapped sign."""
    features, labels = credit_rows(rng, ROWS)
    kind = rng.integers(4)
    if kind == 0:
        features[INCOME] /= 1000
    elif kind == 1:
        features[INCOME] = features[INCOME].where(rng.random(ROWS) < 0.4)
    elif kind == 2:
        features["age"] = 40.0
    else:
        features["DebtRatio"] = -features["DebtRatio"]
    return features, labels


def _stressed(rng: np.random.Generator):
    return credit_rows(rng, ROWS, Phase.STRESS)


def _changed(rng: np.random.Generator):
    return credit_rows(rng, ROWS, Phase.CHANGED_RISK)


def _more_positives(rng: np.random.Generator):
    """The same applicants of each class, three times the odds of the positive one."""
    features, labels = credit_rows(rng, 6 * ROWS)
    weights = np.where(labels == 1, 3.0, 1.0)
    rows = rng.choice(len(labels), ROWS, replace=False, p=weights / weights.sum())
    return features.iloc[rows].reset_index(drop=True), labels[rows]
