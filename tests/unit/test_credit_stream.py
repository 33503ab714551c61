"""The generator of the credit stream: seeded, within the contract, with the risk it says it has."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from selfheal.contract import default_contract
from selfheal_tools.simulation.credit import Phase, credit_rows, default_probability


def drawn(phase: Phase, n: int = 20_000, seed: int = 0):
    return credit_rows(np.random.default_rng(seed), n, phase)


def test_same_seed_gives_the_same_rows():
    """A stream can be replayed: the seed alone decides every value."""
    first, second = drawn(Phase.CALM), drawn(Phase.CALM)
    pd.testing.assert_frame_equal(first[0], second[0])
    assert (first[1] == second[1]).all()


@pytest.mark.parametrize("phase", list(Phase))
def test_rows_keep_the_default_contract(phase: Phase):
    """Every phase sends the contract's columns, within their limits, missing only where that is allowed."""
    features, _ = drawn(phase)
    assert tuple(features.columns) == default_contract().feature_names
    for name, feature in default_contract().features.items():
        column = features[name]
        assert feature.nullable or column.notna().all()
        assert feature.minimum is None or column.min() >= feature.minimum
        assert feature.maximum is None or column.max() <= feature.maximum


@pytest.mark.parametrize("phase", [Phase.CALM, Phase.STRESS, Phase.CHANGED_RISK])
def test_labels_default_as_often_as_the_risk_model_says(phase: Phase):
    """The share of positives is the mean true probability, within five standard errors."""
    features, labels = drawn(phase)
    probability = default_probability(features, phase)
    standard_error = np.sqrt((probability * (1 - probability)).mean() / len(labels))
    assert abs(labels.mean() - probability.mean()) < 5 * standard_error


def test_changed_risk_keeps_the_applicants_and_turns_the_reasons():
    """Concept drift alone: the inputs are those of the calm phase, and the old risk now ranks worse than chance."""
    calm, _ = drawn(Phase.CALM)
    changed, labels = drawn(Phase.CHANGED_RISK)
    pd.testing.assert_frame_equal(calm, changed)
    assert roc_auc_score(labels, default_probability(changed, Phase.CALM)) < 0.5


def test_stress_moves_the_inputs_and_keeps_the_reasons():
    """Covariate drift alone: more defaults, which the old risk model still predicts as well as can be."""
    _, calm_labels = drawn(Phase.CALM)
    stressed, labels = drawn(Phase.STRESS)
    known = brier_score_loss(labels, default_probability(stressed, Phase.CALM))
    assert labels.mean() > 1.5 * calm_labels.mean()
    assert known < labels.mean() * (1 - labels.mean())
