"""What a version says of what it uses."""

import json

import numpy as np
import pandas as pd
import pytest

from selfheal.models.importance import importance_of
from selfheal.models.native import load_artefact

DOCUMENT = {
    "format": "selfheal-model",
    "format_version": 2,
    "features": [{"name": name, "kind": "number"} for name in ("weak", "strong", "unused")],
    "blocks": [{"kind": "number", "feature": place, "steps": []} for place in range(3)],
    "estimator": {"kind": "linear", "intercept": 0.0, "coefficients": [0.5, -2.0, 0.0], "expected": [0.0, 0.0, 0.0]},
    "calibration": {"slope": 2.0, "intercept": 0.0},
    "threshold": 0.5,
}


def test_it_is_the_mean_distance_by_which_a_feature_moves_the_score():
    """Half of -1 and 1 is 0.5 either way, times the calibration's slope; the strongest first."""
    features = pd.DataFrame(dict.fromkeys(("weak", "strong", "unused"), np.array([-1.0, 1.0])))
    model = load_artefact(json.dumps(DOCUMENT).encode())
    assert importance_of(model, features) == pytest.approx({"strong": 4.0, "weak": 1.0, "unused": 0.0})
    assert list(importance_of(model, features)) == ["strong", "weak", "unused"]


def test_a_model_that_gives_no_reasons_says_nothing_of_what_it_uses():
    """A file of an earlier release lacks what that takes."""
    estimator = {"kind": "linear", "intercept": 0.0, "coefficients": [0.5, -2.0, 0.0]}
    model = load_artefact(json.dumps({**DOCUMENT, "estimator": estimator}).encode())
    assert importance_of(model, pd.DataFrame({"weak": [1.0], "strong": [1.0], "unused": [1.0]})) == {}
