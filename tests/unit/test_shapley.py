"""Reasons: exact Shapley values, by the shap package's word, by enumeration, and by what they must add up to."""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shap
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.pipeline import make_pipeline

from selfheal.contract import default_contract, parse_contract
from selfheal.data.inputs import Inputs
from selfheal.errors import ArtefactRefused, ReasonsUnavailable
from selfheal.models.fitted import Calibration, FittedModel, Member
from selfheal.models.native import NativeModel, load_artefact
from selfheal.models.native.blending import blended
from selfheal.models.native.export.proof import export
from selfheal.tables.dataset import Dataset
from selfheal.tables.table import columns_of
from selfheal.training import pipelines
from selfheal_tools.simulation.credit import credit_rows
from tests.support.estimators import coded, contract_of, rows_of

CREDIT = default_contract()
MIXED = parse_contract(
    '[model]\nname = "mixed"\ntarget = "y"\n[features.x]\ntype = "number"\nnullable = true\n'
    '[features.c]\ntype = "category"\nnullable = true\n[features.z]\ntype = "number"\n'
)
ROWS = 200
UNCALIBRATED = Calibration()


def credit(seed: int, rows: int = 1500) -> Dataset:
    features, labels = credit_rows(np.random.default_rng(seed), rows)
    return dataset(features, labels)


def mixed(rows: int = 1500) -> Dataset:
    random = np.random.default_rng(3)
    x, c = random.normal(size=rows), random.choice(["a", "b", "c", "d"], rows).astype(object)
    y = random.random(rows) < 1 / (1 + np.exp(-(x + 1.5 * (c == "b") * np.sign(x))))
    x[random.random(rows) < 0.1], c[random.random(rows) < 0.1] = np.nan, None
    return dataset(pd.DataFrame({"x": x, "c": c, "z": random.normal(size=rows)}), y.astype(np.int8))


def dataset(features: pd.DataFrame, labels: np.ndarray) -> Dataset:
    ids = np.array([f"row-{row}" for row in range(len(labels))], dtype=object)
    return Dataset(ids, np.datetime64("2026-01-01", "us") + np.arange(len(labels)), features, labels)


def fitted(make: Any, rows: Dataset, contract: Any, **parameters: Any) -> Any:
    return make(Inputs.of(contract, rows.features), seed=0, **parameters).fit(rows.features, rows.labels)


def exported(rows: Dataset, contract: Any, *members: Member, calibration: Calibration = UNCALIBRATED) -> bytes:
    return export(FittedModel(members, calibration, 0.5), rows.features, contract)


def by_feature(pipeline: Any, values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The shap package's values of an estimator's columns, added up by the feature that each is made of."""
    added = np.zeros((len(values), len(names)))
    for column, name in enumerate(pipeline[:-1].get_feature_names_out()):
        feature = name.split("__", 1)[1].removeprefix("missingindicator_")
        # A column for each category has the category's name at its end.
        added[:, names.index(feature if feature in names else feature.rpartition("_")[0])] += values[:, column]
    return added


def test_boosted_trees_have_the_shap_packages_values():
    """Of numbers, missing ones among them, the same as its tree explainer's, and the same base."""
    rows = credit(1)
    pipeline = fitted(pipelines.boosting, rows, CREDIT, max_iter=60, max_leaf_nodes=12)
    model = load_artefact(exported(rows, CREDIT, Member(pipeline)))
    found = model.contributions(columns_of(rows.features[:ROWS]))
    theirs = shap.TreeExplainer(pipeline[-1])
    values = theirs.shap_values(pipeline[:-1].transform(rows.features[:ROWS]))
    assert found.base == pytest.approx(float(np.ravel(theirs.expected_value)[0]), abs=1e-6)
    assert np.abs(found.added - by_feature(pipeline, values, list(model.feature_names))).max() <= 1e-6


def test_a_linear_model_has_the_shap_packages_values():
    """Against the mean of training's rows, the same as its linear explainer's."""
    rows = credit(2)
    pipeline = fitted(pipelines.logistic, rows, CREDIT, C=1.0)
    model = load_artefact(exported(rows, CREDIT, Member(pipeline)))
    found = model.contributions(columns_of(rows.features[:ROWS]))
    read = pipeline[:-1].transform(rows.features)
    theirs = shap.LinearExplainer(pipeline[-1], shap.maskers.Independent(read, max_samples=len(read)))
    values = by_feature(pipeline, theirs.shap_values(read[:ROWS]), list(model.feature_names))
    assert found.base == pytest.approx(float(theirs.expected_value), abs=1e-6)
    assert np.abs(found.added - values).max() <= 1e-6


@pytest.mark.parametrize("kind", ["boosting", "logistic", "forest"])
def test_of_several_classes_the_predicted_ones_score_has_the_shap_packages_values(kind: str):
    """Each row by its own class's trees or coefficients; a forest's in shares; base and values add up to the score."""
    rows, contract = rows_of("multiclass"), contract_of("multiclass")
    if kind == "logistic":
        pipeline = fitted(pipelines.logistic, rows, contract, C=1.0, solver="lbfgs", max_iter=300)
    else:
        # The package knows no native categorical splits.
        trees = {
            "boosting": HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=8),
            "forest": RandomForestClassifier(6, max_depth=5, random_state=0),
        }
        pipeline = make_pipeline(coded(), trees[kind]).fit(rows.features, rows.labels)
    payload = export(FittedModel([Member(pipeline)], UNCALIBRATED, math.nan, "softmax", 3), rows.features, contract)
    model = load_artefact(payload)
    asked = rows.features[:60]
    found, predicted = model.contributions(columns_of(asked)), pipeline.predict(asked)
    read = pipeline[:-1].transform(rows.features)
    if kind == "logistic":
        theirs = shap.LinearExplainer(pipeline[-1], shap.maskers.Independent(read, max_samples=len(read)))
    else:
        theirs = shap.TreeExplainer(pipeline[-1])
    values = np.asarray(theirs.shap_values(read[:60]))[np.arange(60), :, predicted]
    assert found.base == pytest.approx(np.asarray(theirs.expected_value)[predicted], abs=1e-6)
    assert np.abs(found.added - by_feature(pipeline, values, list(model.feature_names))).max() <= 1e-6
    assert found.base + found.added.sum(axis=1) == pytest.approx(found.scores, abs=1e-9)
    assert found.unit == ("probability" if kind == "forest" else "class_score")


def test_values_add_up_to_the_score_whatever_was_blended_and_calibrated():
    """Base and contributions are the log-odds of the answer; a blend's are the weighted mean of its members'."""
    first, second = mixed(1500), mixed(900)
    pair = [Member(fitted(make, first, MIXED), 0.5) for make in (pipelines.boosting, pipelines.logistic)]
    one = exported(first, MIXED, *pair, calibration=Calibration(1.2, -0.3))
    other = exported(second, MIXED, Member(fitted(pipelines.logistic, second, MIXED)))
    columns = columns_of(first.features[:ROWS])
    parts = [load_artefact(payload).contributions(columns) for payload in (one, other)]
    whole = load_artefact(blended([(one, 0.75), (other, 0.25)], 0.5))
    found = whole.contributions(columns)
    assert found.base == pytest.approx(0.75 * parts[0].base + 0.25 * parts[1].base, abs=1e-9)
    assert found.added == pytest.approx(0.75 * parts[0].added + 0.25 * parts[1].added, abs=1e-9)
    for model, of in ((whole, found), (load_artefact(one), parts[0])):
        assert of.base + of.added.sum(axis=1) == pytest.approx(of.scores, abs=1e-9)
        assert 1 / (1 + np.exp(-of.scores)) == pytest.approx(model.probabilities_of(columns), abs=1e-12)


def test_splits_of_categories_and_missing_values_are_explained_as_enumeration_does():
    """What no package explains: native splits of categories, by all 2^3 sets of known features."""
    rows = mixed()
    pipeline = fitted(pipelines.boosting, rows, MIXED, max_iter=5, max_leaf_nodes=8)
    payload = exported(rows, MIXED, Member(pipeline))
    document = json.loads(payload)
    assert any(isinstance(split, list) for tree in document["estimator"]["trees"] for split in tree["split"])
    asked = rows.features[:40]
    found = load_artefact(payload).contributions(columns_of(asked))
    for place, row in enumerate(asked.to_dict("records")):
        assert found.added[place] == pytest.approx(enumerated(document, row), abs=1e-9)


def enumerated(document: dict[str, Any], row: Mapping[str, Any]) -> list[float]:
    """Shapley's definition: what a feature adds to each set of the others, by the weight of the set."""
    names = [feature["name"] for feature in document["features"]]
    values = []
    for name in names:
        others = [other for other in names if other != name]
        value = 0.0
        for size in range(len(names)):
            weight = math.factorial(size) * math.factorial(len(others) - size) / math.factorial(len(names))
            for known in itertools.combinations(others, size):
                value += weight * (expected(document, row, {*known, name}) - expected(document, row, set(known)))
        values.append(value)
    return values


def expected(document: dict[str, Any], row: Mapping[str, Any], known: set[str]) -> float:
    """The score where only some features are known: at other nodes both ways count, by the rows that went there."""
    return sum(
        _below(document, tree, 0 if tree["column"] else -1, row, known) for tree in document["estimator"]["trees"]
    )


def _below(document: dict[str, Any], tree: dict[str, Any], node: int, row: Mapping[str, Any], known: set[str]) -> float:
    if node < 0:
        return float(tree["leaves"][~node])
    block = document["blocks"][tree["column"][node]]
    name = document["features"][block["feature"]]["name"]
    left, right = tree["left"][node], tree["right"][node]
    if name in known:
        return _below(document, tree, left if _goes_left(tree, node, block, row[name]) else right, row, known)
    covers = [_cover(tree, child) for child in (left, right)]
    below = [_below(document, tree, child, row, known) for child in (left, right)]
    return (covers[0] * below[0] + covers[1] * below[1]) / sum(covers)


def _goes_left(tree: dict[str, Any], node: int, block: dict[str, Any], value: Any) -> bool:
    if block["kind"] == "ordinal":
        code = block["missing"] if value is None else block["codes"].get(value, block["unknown"])
        return bool(tree["missing_left"][node]) if code is None else code in tree["split"][node]
    return bool(tree["missing_left"][node]) if math.isnan(value) else value <= tree["split"][node]


def _cover(tree: dict[str, Any], node: int) -> float:
    return tree["covers"][~node] if node < 0 else _cover(tree, tree["left"][node]) + _cover(tree, tree["right"][node])


@given(st.data())
def test_any_tree_is_explained_as_enumeration_does(data: st.DataObject):
    """Whatever its shape, its covers and the row, features asked twice on one path and never among them."""
    document = {
        "format": "selfheal-model",
        "format_version": 2,
        "features": [{"name": name, "kind": "number"} for name in "abcd"],
        "blocks": [{"kind": "number", "feature": place, "steps": []} for place in range(4)],
        "estimator": {"kind": "trees", "baseline": 0.0, "trees": [data.draw(trees()) for _ in range(2)]},
        "calibration": None,
        "threshold": 0.5,
    }
    row = {name: data.draw(st.sampled_from([math.nan, -1.0, 0.0, 1.0])) for name in "abcd"}
    model: NativeModel = load_artefact(json.dumps(document).encode())
    found = model.contributions(model.columns_of([row]))
    assert found.added[0] == pytest.approx(enumerated(document, row), abs=1e-9)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    leaves = draw(st.integers(1, 9))
    tree: dict[str, Any] = {key: [] for key in ("column", "split", "missing_left", "left", "right")}
    # Open places, each to become a node or a leaf; parents come before children.
    places: list[tuple[str, int] | None] = [None]
    for node in range(leaves - 1):
        place = places.pop(draw(st.integers(0, len(places) - 1)))
        if place is not None:
            tree[place[0]][place[1]] = node
        tree["column"].append(draw(st.integers(0, 3)))
        tree["split"].append(draw(st.sampled_from([-1.0, -0.5, 0.0, 0.5])))
        tree["missing_left"].append(draw(st.integers(0, 1)))
        tree["left"].append(0)
        tree["right"].append(0)
        places += [("left", node), ("right", node)]
    for leaf, place in enumerate(places):
        if place is not None:
            tree[place[0]][place[1]] = -1 - leaf
    tree["leaves"] = [draw(st.floats(-2, 2)) for _ in range(leaves)]
    tree["covers"] = [draw(st.floats(0.1, 50)) for _ in range(leaves)]
    return tree


def test_a_model_of_an_earlier_release_answers_but_gives_no_reasons():
    """Without covers nothing is known of what else could have been: that is said, and answers are as before."""
    rows = credit(4)
    document = json.loads(exported(rows, CREDIT, Member(fitted(pipelines.boosting, rows, CREDIT, max_iter=3))))
    for tree in document["estimator"]["trees"]:
        del tree["covers"]
    earlier = load_artefact(json.dumps({**document, "format_version": 1}).encode())
    assert len(earlier.probabilities_of(columns_of(rows.features))) == len(rows)
    with pytest.raises(ReasonsUnavailable, match="train a new version"):
        earlier.contributions(columns_of(rows.features))


@pytest.mark.parametrize("covers", [[1.0], [0.0, 1.0], [math.nan, 1.0]])
def test_covers_that_are_none_are_refused(covers: list[float]):
    """One for each leaf, above 0, or the file is not sound."""
    tree = {"column": [0], "split": [0.0], "missing_left": [0], "left": [-1], "right": [-2], "leaves": [0.0, 1.0]}
    document = {
        "format": "selfheal-model",
        "format_version": 2,
        "features": [{"name": "x", "kind": "number"}],
        "blocks": [{"kind": "number", "feature": 0, "steps": []}],
        "estimator": {"kind": "trees", "baseline": 0.0, "trees": [{**tree, "covers": covers}]},
        "calibration": None,
        "threshold": 0.5,
    }
    with pytest.raises(ArtefactRefused):
        load_artefact(json.dumps(document).encode())
