"""Ensembles of whole models: blended, refused by name, sound or refused.

tests/unit/test_estimators.py proves them exact.
"""

import json
import random
from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer
from sklearn.tree import DecisionTreeClassifier

from selfheal.errors import ArtefactRefused, ExportInexact
from selfheal.models.fitted import Calibration, FittedModel, Member
from selfheal.models.formats import WRITTEN
from selfheal.models.native import load_artefact
from selfheal.tables.table import columns_of
from tests.support.estimators import LINKS, contract_of, expanded, rows_of


def line() -> LogisticRegression:
    return LogisticRegression(solver="newton-cholesky")


def votes() -> VotingClassifier:
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    return VotingClassifier([("line", line()), ("tree", tree)], voting="soft")


def stack() -> StackingClassifier:
    members = [("line", line()), ("tree", DecisionTreeClassifier(max_depth=3, random_state=0))]
    return StackingClassifier(members, DecisionTreeClassifier(max_depth=4), cv=2, passthrough=True)


def fitted(estimator: Any, task: str, columns: Any = None, classes: tuple[int, ...] = (0, 1, 2)) -> FittedModel:
    rows = rows_of(task)
    rows = rows.take(np.flatnonzero(np.isin(rows.labels, classes)))
    pipeline = make_pipeline(columns or expanded(), estimator).fit(rows.features, rows.labels.astype(np.int64))
    return FittedModel([Member(pipeline)], Calibration(), 0.5, LINKS[task], 3 if task == "multiclass" else 1)


def written(model: FittedModel, task: str) -> bytes:
    return WRITTEN.exported(model, rows_of(task).features, contract_of(task))


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_they_blend_with_single_models(task: str):
    """The weighted mean of the members' scores, proven on probes as every blend is."""
    payloads = [written(fitted(make(), task), task) for make in (votes, line, stack)]
    blend = WRITTEN.loaded(WRITTEN.blended(list(zip(payloads, [0.5, 0.3, 0.2], strict=True)), 0.5))
    columns = columns_of(rows_of(task).features)
    singles = [load_artefact(payload) for payload in payloads]
    scores = sum(weight * one.log_odds_of(columns) for one, weight in zip(singles, [0.5, 0.3, 0.2], strict=True))
    powers = np.exp(scores)
    expected = powers / (1 + powers) if task == "binary" else powers / powers.sum(axis=1, keepdims=True)
    assert blend.probabilities_of(columns) == pytest.approx(expected, abs=1e-12)


@pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")
def test_a_class_that_no_row_has_is_never_the_answer():
    """A contract's class that training hasn't seen has next to no probability, whatever the ensemble."""
    for make in (votes, stack):
        model = fitted(make(), "multiclass", classes=(0, 2))
        answers = WRITTEN.loaded(written(model, "multiclass")).probabilities_of(
            columns_of(rows_of("multiclass").features)
        )
        assert answers[:, 1].max() < 1e-9
        assert answers[:, [0, 2]].max() > 0.9


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (VotingClassifier([("line", line())]), "hard"),
        (VotingClassifier([("near", KNeighborsClassifier())], voting="soft"), "no words for KNeighborsClassifier"),
        (StackingClassifier([("near", KNeighborsClassifier())], line(), cv=2), "no words for KNeighborsClassifier"),
        (CalibratedClassifierCV(line(), method="temperature", cv=2), "temperature"),
    ],
    ids=["hard votes", "votes", "stack", "temperature"],
)
def test_what_cant_be_served_is_named(estimator: Any, said: str):
    """Wherever in an ensemble it stands."""
    from selfheal.models.native.export.document import document

    rows = rows_of("binary")
    pipeline = make_pipeline(expanded(), estimator).fit(rows.features, rows.labels.astype(np.int64))
    with pytest.raises(ExportInexact, match=said):
        document(FittedModel([Member(pipeline)], Calibration(), 0.5), contract_of("binary"))


def test_numbers_that_no_power_of_is_finite_are_answered():
    """A power transformation of 1e300 overflows in the library; what is served stays a probability."""
    columns = ColumnTransformer([("n", make_pipeline(SimpleImputer(), PowerTransformer()), ["x", "z"])])
    served = WRITTEN.loaded(written(fitted(line(), "binary", columns), "binary"))
    for x in (1e300, -1e300, 1e308):
        assert 0 <= served.probabilities([{"x": x, "z": -x, "c": "a"}])[0] <= 1


def test_a_function_of_ones_own_is_refused():
    """Data alone are served: what a function does is code."""
    columns = make_pipeline(expanded(), FunctionTransformer(np.sqrt))
    with (
        pytest.raises(ExportInexact, match="words for a function of one's own"),
        np.errstate(all="ignore"),
    ):
        written(fitted(DecisionTreeClassifier(), "binary", columns), "binary")


WRONG = (None, True, -1, 10**6, 0.5, "", [], [[0]], {}, {"kind": "layers", "layers": []})


def test_one_wrong_value_anywhere_is_refused_or_still_a_model():
    """Columns out of range, layers of another width, wrong types: refused by name, or a model by chance."""
    generator, payloads = (
        random.Random(3),
        [written(fitted(make(), "multiclass"), "multiclass") for make in (votes, stack)],
    )
    rows = [{"x": 1.0, "z": 2.0, "c": "b"}, {}]
    for _ in range(150):
        document = json.loads(generator.choice(payloads))
        place: Any = document["estimator"]
        while True:
            key = generator.choice(list(place) if isinstance(place, dict) else range(len(place)))
            if not isinstance(place[key], dict | list) or not place[key] or generator.random() < 0.1:
                place[key] = generator.choice(WRONG)
                break
            place = place[key]
        try:
            answers = load_artefact(json.dumps(document).encode()).probabilities(rows * 40)
        except ArtefactRefused:
            continue
        assert np.shape(answers)[0] == 80


def test_layers_too_deep_within_each_other_are_refused():
    """By name and place, however much stack there is."""
    document = json.loads(written(fitted(votes(), "binary"), "binary"))
    inner = document["estimator"]["estimator"]
    for _ in range(21):
        part = {"columns": list(range(len(inner["layers"][0]["estimators"][0]["columns"]))), "estimator": inner}
        inner = {"kind": "layers", "layers": [{"kind": "estimators", "estimators": [part], "keeps": []}]}
    document["estimator"] = {"kind": "log_odds", "estimator": inner}
    with pytest.raises(ArtefactRefused, match="deeper within each other than 20"):
        load_artefact(json.dumps(document).encode())
