"""Injected drifts: what they change and what they leave alone."""

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from selfheal.contract import default_contract
from selfheal_tools.simulation.credit import AGE, DEBT_RATIO, INCOME, UTILISATION, credit_rows
from selfheal_tools.simulation.injection import exchange_roles, strongest_with_weakest


def calm(n: int = 10_000):
    return credit_rows(np.random.default_rng(1), n)


def test_exchange_keeps_each_distribution_and_moves_what_it_says():
    """After an exchange each feature is distributed as before, and each ranks the labels as well as its partner did."""
    features, labels = calm()
    changed = exchange_roles(features, features, [(UTILISATION, DEBT_RATIO)], np.random.default_rng(0))
    for name, partner in ((UTILISATION, DEBT_RATIO), (DEBT_RATIO, UTILISATION)):
        assert ks_2samp(features[name], changed[name], method="asymp").statistic < 0.02
        assert abs(roc_auc_score(labels, changed[name]) - roc_auc_score(labels, features[partner])) < 0.02


def test_exchange_leaves_missing_rows_and_other_features_alone():
    """A row in which a feature of the pair is missing keeps both, and no third feature changes."""
    features, _ = calm()
    changed = exchange_roles(features, features, [(INCOME, AGE)], np.random.default_rng(0))
    missing = features[INCOME].isna()
    pd.testing.assert_frame_equal(changed[missing], features[missing])
    others = [name for name in features if name not in {INCOME, AGE}]
    pd.testing.assert_frame_equal(changed[others], features[others])


def test_pairs_take_the_strongest_feature_first():
    """Utilisation ranks defaults best of the continuous features, so it is among the first to lose its role."""
    features, labels = calm()
    pairs = strongest_with_weakest(features, labels, default_contract())
    assert len(pairs) == 5
    assert UTILISATION in {first for first, _ in pairs}
    assert len({name for pair in pairs for name in pair}) == 10
