"""The serving artefact: what is refused, and what a sound one answers, checked by hand."""

import copy
import json
import math
import random
from typing import Any

import numpy as np
import pytest

from selfheal.errors import ArtefactRefused
from selfheal.models.native import load_artefact, model
from selfheal.models.native.estimators import Outputs, parse_outputs
from selfheal.models.native.trees import Trees, few_rows

# Two trees: one splits `x` at 1 and, on its left, `c` by codes; missing `x` goes left. The other is a single leaf.
TREES: dict[str, Any] = {
    "format": "selfheal-model",
    "format_version": 1,
    "features": [{"name": "x", "kind": "number"}, {"name": "c", "kind": "category"}],
    "blocks": [
        {"kind": "ordinal", "feature": 1, "codes": {"a": 0, "b": 1}, "size": 2, "missing": None, "unknown": None},
        {"kind": "number", "feature": 0, "steps": []},
    ],
    "estimator": {
        "kind": "trees",
        "baseline": 0.5,
        "trees": [
            {
                "column": [1, 0],
                "split": [1.0, [1]],
                "missing_left": [1, 0],
                "left": [1, -1],
                "right": [-3, -2],
                "leaves": [1.0, 2.0, 4.0],
            },
            {"column": [], "split": [], "missing_left": [], "left": [], "right": [], "leaves": [-0.25]},
        ],
    },
    "calibration": None,
    "threshold": 0.5,
}
LINEAR: dict[str, Any] = {
    **TREES,
    "blocks": [
        {
            "kind": "number",
            "feature": 0,
            "steps": [
                {"kind": "impute", "value": 3.0},
                {
                    "kind": "quantile",
                    "knots": [0.0, 2.0],
                    "at": [0.0, 1.0],
                    "before": [0.0, 0.75],
                    "after": [0.25, 1.0],
                },
                {"kind": "standardise", "mean": 0.5, "scale": 0.25},
            ],
        },
        {"kind": "number", "feature": 0, "steps": [{"kind": "missing"}]},
        {"kind": "one_hot", "feature": 1, "codes": {"a": 0, "b": 1}, "size": 2, "missing": None, "unknown": 1},
    ],
    "estimator": {"kind": "linear", "intercept": 0.5, "coefficients": [1.0, 10.0, 100.0, 1000.0]},
    "calibration": {"slope": 0.001, "intercept": -0.002},
}


def probability(score: float) -> float:
    return 1 / (1 + math.exp(-score))


def load(document: Any) -> model.NativeModel:
    return load_artefact(json.dumps(document).encode())


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    result = copy.deepcopy(document)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = result
    for part in parents:
        target = target[part]
    target[last] = value
    return result


@pytest.mark.parametrize(
    ("row", "score"),
    [
        ({"x": 1.0, "c": "a"}, 2.25),
        ({"x": 1.0, "c": "b"}, 1.25),
        ({"x": math.nextafter(1.0, 2), "c": "b"}, 4.25),
        ({"x": None, "c": "b"}, 1.25),
        ({"c": "unseen"}, 2.25),
        ({"x": -1e308, "c": None}, 2.25),
        ({"x": 7}, 4.25),
    ],
)
def test_trees_answer_as_traced_by_hand(row: dict[str, Any], score: float):
    """On the threshold goes left, one float above right; missing and unseen go where the split sends the missing."""
    assert load(TREES).probabilities([row]) == [probability(score)]


@pytest.mark.parametrize(
    ("row", "score"),
    [
        ({"x": 0.0, "c": "a"}, 0.5 - 2.0 + 100),
        ({"x": 1.0, "c": "b"}, 0.5 + 0.0 + 1000),
        ({"x": 2.0, "c": None}, 0.5 + 2.0),
        ({"x": -9.0, "c": "unseen"}, 0.5 - 2.0 + 1000),
        ({"x": None, "c": "a"}, 0.5 + 2.0 + 10 + 100),
    ],
)
def test_linear_answers_as_computed_by_hand(row: dict[str, Any], score: float):
    """Imputer, quantiles, scale, missing indicator, one-hot columns and calibration each do what the format says."""
    assert load(LINEAR).probabilities([row]) == [pytest.approx(probability(0.001 * score - 0.002), rel=1e-15)]


@pytest.mark.parametrize("document", [TREES, LINEAR], ids=["trees", "linear"])
def test_one_row_and_many_rows_have_the_same_bits(document: dict[str, Any]):
    """Plain Python and numpy agree to the last bit, also off the knots and thresholds and on missing values."""
    generator = random.Random(1)
    values = [None, 0.0, 1.0, 2.0, *[generator.uniform(-1, 3) for _ in range(50)]]
    rows = [{"x": generator.choice(values), "c": generator.choice(["a", "b", "z", None])} for _ in range(200)]
    artefact = load(document)
    one_by_one = [artefact.probabilities([row])[0] for row in rows]
    assert artefact.probabilities(rows) == one_by_one
    assert len(set(one_by_one)) >= 3


@pytest.mark.parametrize("leaves", [2, 8, 9, 16, 33, 64])
@pytest.mark.parametrize("table_bits", [few_rows.TABLE_BITS, 1])
def test_trees_of_any_size_have_the_same_bits_one_row_at_a_time(
    leaves: int, table_bits: int, monkeypatch: pytest.MonkeyPatch
):
    """Whatever the width of a tree's lane, and where a forest is too large for one table."""
    monkeypatch.setattr(few_rows, "TABLE_BITS", table_bits)
    generator = random.Random(leaves)
    trees = [grown(generator, generator.randint(2, leaves)) for _ in range(20)] + [grown(generator, leaves)]
    artefact = load(changed(TREES, "estimator.trees", trees))
    rows = [
        {"x": generator.choice([None, generator.randint(-3, 3), generator.gauss(0, 2)]), "c": generator.choice("abz")}
        for _ in range(100)
    ]
    assert artefact.probabilities(rows) == [artefact.probabilities([row])[0] for row in rows]
    assert len(set(artefact.probabilities(rows))) > 10


@pytest.mark.parametrize("leaves", [65, 255, 1000])
def test_large_trees_come_to_the_leaf_that_a_walk_from_the_root_comes_to(leaves: int):
    """Codes, thresholds met exactly and missing values; one row at a time and all at once, the same bits."""
    generator = random.Random(leaves)
    stump = {name: [] for name in ("column", "split", "missing_left", "left", "right")} | {"leaves": [-1.5]}
    grove = [grown(generator, leaves), stump, grown(generator, 2), grown(generator, generator.randint(2, leaves))]
    trees = Trees.parse({"kind": "trees", "baseline": 0.25, "trees": grove}, "trees", [3, 0])
    rows = [(generator.randrange(3), generator.choice([math.nan, float(generator.randint(-3, 3))])) for _ in range(300)]
    walked = [0.25 + sum(walk(tree, row) for tree in grove) for row in rows]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    assert trees.many(columns, len(rows)).tolist() == pytest.approx(walked, rel=1e-12)
    assert trees.many(columns, len(rows)).tolist() == [trees.one(row) for row in rows]
    assert len(set(walked)) > 10


@pytest.mark.parametrize("kind", ["trees", "sum"])
def test_outputs_in_one_pass_have_the_bits_that_each_has_by_itself(kind: str):
    """The trees of three classes, alone and beside a linear part."""
    generator = random.Random(kind)
    trees = [
        {"kind": "trees", "baseline": generator.gauss(0, 1), "trees": [grown(generator, 12) for _ in range(n)]}
        for n in (5, 1, 9)
    ]
    linear = {"kind": "linear", "intercept": 0.1, "coefficients": [0.7]}
    sums = [
        {
            "kind": "sum",
            "parts": [
                {"weight": 0.3, "columns": 2, "estimator": each},
                {"weight": 0.7, "columns": 1, "estimator": linear},
            ],
        }
        for each in trees
    ]
    columns = [3, 0] if kind == "trees" else [3, 0, 0]
    outputs = parse_outputs({"kind": "outputs", "outputs": trees if kind == "trees" else sums}, "outputs", columns)
    assert isinstance(outputs, Outputs)
    assert outputs.together is not None
    for _ in range(100):
        cells = [generator.randrange(3), generator.gauss(0, 2), generator.gauss(0, 1)][: len(columns)]
        assert outputs.all_of_one(cells) == [output.one(cells) for output in outputs.outputs]


def walk(tree: dict[str, Any], row: tuple[int, float]) -> float:
    """The leaf's value, by the format's own words; code 2 and NaN are missing."""
    node = 0 if tree["column"] else -1
    while node >= 0:
        column, split = tree["column"][node], tree["split"][node]
        cell = row[column]
        if (cell == 2 and not column) or math.isnan(cell):
            goes_left = tree["missing_left"][node]
        else:
            goes_left = cell <= split if column else cell in split
        node = tree["left" if goes_left else "right"][node]
    return tree["leaves"][-1 - node]


def grown(generator: random.Random, leaves: int) -> dict[str, Any]:
    """A tree of so many leaves: each new node takes the place of a leaf drawn at random."""
    nodes = range(leaves - 1)
    left, right, open_places = [0] * len(nodes), [0] * len(nodes), [(None, 0)]
    for node in nodes:
        side, parent = open_places.pop(generator.randrange(len(open_places)))
        if side is not None:
            side[parent] = node
        open_places += [(left, node), (right, node)]
    generator.shuffle(open_places)
    for leaf, (side, parent) in enumerate(open_places):
        side[parent] = -1 - leaf
    column = [generator.randint(0, 1) for _ in nodes]
    return {
        "column": column,
        "split": [float(generator.randint(-3, 3)) if asked else generator.choice([[], [0], [1]]) for asked in column],
        "missing_left": [generator.randint(0, 1) for _ in nodes],
        "left": left,
        "right": right,
        "leaves": [generator.gauss(0, 1) for _ in range(leaves)],
    }


def test_extreme_scores_answer_zero_and_one():
    """A score whose exponential overflows is a probability of 0, not an error."""
    assert [model.expit(score) for score in (-1000.0, 1000.0, -math.inf)] == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("format", "other", "format"),
        ("format_version", 3, "format"),
        ("link", [], "link"),
        ("link", "probit", "link"),
        ("threshold", 1.5, "threshold"),
        ("threshold", True, "threshold"),
        ("features", [], "features"),
        ("features.1.name", "x", "features"),
        ("features.0.kind", "text", "features.0.kind"),
        ("blocks.0.feature", 0, "blocks.0.feature"),
        ("blocks.0.feature", 2, "blocks.0.feature"),
        ("blocks.0.codes.b", 2, "blocks.0.codes"),
        ("blocks.0.kind", ["ordinal"], "blocks.0.kind"),
        ("blocks.1.steps", [{"kind": "cube_root"}], "blocks.1.steps.0.kind"),
        ("blocks.1.extra", 1, "blocks.1"),
        ("estimator.kind", "svm", "estimator.kind"),
        ("estimator.baseline", None, "estimator.baseline"),
        ("estimator.baseline", "0.5", "estimator.baseline"),
        ("estimator.trees.0.left", [0, -1], "estimator.trees.0"),
        ("estimator.trees.0.left", [1, 0], "estimator.trees.0"),
        ("estimator.trees.0.left", [1, -4], "estimator.trees.0.left"),
        ("estimator.trees.0.left", [1, -2], "estimator.trees.0"),
        ("estimator.trees.0.left", [2, -1], "estimator.trees.0.left"),
        ("estimator.trees.0.left", [1], "estimator.trees.0.left"),
        ("estimator.trees.0.left", [1.0, -1], "estimator.trees.0.left"),
        ("estimator.trees.0.column", [1, 2], "estimator.trees.0.column"),
        ("estimator.trees.0.split", [[1], [1]], "estimator.trees.0.split.0"),
        ("estimator.trees.0.split", [1.0, 1.0], "estimator.trees.0.split.1"),
        ("estimator.trees.0.split", [1.0, [2]], "estimator.trees.0.split.1"),
        ("estimator.trees.0.missing_left", [2, 0], "estimator.trees.0.missing_left"),
        ("estimator.trees.1.leaves", [], "estimator.trees.1"),
        ("estimator.trees.1.leaves", [float("nan")], "top"),
        ("calibration", {"slope": 1}, "calibration"),
    ],
)
def test_what_is_off_in_trees_is_refused_by_its_place(path: str, value: Any, place: str):
    """One thing off refuses the file, and the message says where."""
    with pytest.raises(ArtefactRefused) as raised:
        load(changed(TREES, path, value))
    assert place in str(raised.value) or "not JSON" in str(raised.value)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("estimator.coefficients", [1.0], "estimator.coefficients"),
        ("blocks.0.steps.1.knots", [2.0, 2.0], "blocks.0.steps.1.knots"),
        ("blocks.0.steps.1.knots", [-1.7e308, 1.7e308], "blocks.0.steps.1.knots"),
        ("blocks.0.steps.1.at", [0.0], "blocks.0.steps.1.at"),
        ("blocks.0.steps.2.scale", 0, "blocks.0.steps.2.scale"),
        ("blocks.2.size", 1, "blocks.2.codes"),
        ("blocks.2.unknown", 2, "blocks.2.unknown"),
        ("blocks.2", TREES["blocks"][0], "estimator.coefficients"),
    ],
)
def test_what_is_off_in_a_linear_model_is_refused_by_its_place(path: str, value: Any, place: str):
    """The linear estimator and its steps are checked as strictly as trees."""
    with pytest.raises(ArtefactRefused, match=place.replace(".", r"\.")):
        load(changed(LINEAR, path, value))


def test_a_linear_model_over_codes_is_refused():
    """Coefficients can't multiply category codes."""
    document = changed(LINEAR, "blocks.2", TREES["blocks"][0])
    with pytest.raises(ArtefactRefused, match="codes"):
        load(changed(document, "estimator.coefficients", [1.0, 2.0, 3.0]))


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b"null", b"\x80\x04joblib", b"[" * 5000])
def test_bytes_that_are_no_artefact_are_refused(payload: bytes):
    """Anything but the one JSON object is refused, a deep nesting and a pickle among them."""
    with pytest.raises(ArtefactRefused):
        load_artefact(payload)


def test_an_oversized_file_is_refused_before_it_is_parsed():
    """The size limit comes first: the bytes aren't even JSON."""
    with pytest.raises(ArtefactRefused, match="bytes"):
        load_artefact(b" " * (model.SIZE_LIMIT + 1))


def test_a_sum_adds_its_parts_by_weight():
    """Each part reads its own columns; one row and many have the same bits."""
    document = summed()
    row = {"x": 1.0, "c": "b"}
    expected = 0.75 * 1.25 + 0.25 * (0.5 + 0.0 + 1000)
    artefact = load(document)
    assert artefact.probabilities([row])[0] == probability(expected)
    assert artefact.probabilities([row] * 100) == artefact.probabilities([row]) * 100


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("estimator.parts", [], "estimator.parts"),
        ("estimator.parts.0.columns", 1, "estimator.parts.0.estimator"),
        ("estimator.parts.0.columns", 7, "estimator.parts.0.columns"),
        ("estimator.parts.0.weight", None, "estimator.parts.0.weight"),
        ("estimator.parts.1.estimator", {"kind": "sum", "parts": []}, "estimator.parts.1.estimator.kind"),
    ],
)
def test_what_is_off_in_a_sum_is_refused_by_its_place(path: str, value: Any, place: str):
    """Columns that don't add up, and sums within sums among it."""
    with pytest.raises(ArtefactRefused, match=place.replace(".", r"\.")):
        load(changed(summed(), path, value))


def summed() -> dict[str, Any]:
    return {
        **TREES,
        "blocks": [*TREES["blocks"], *LINEAR["blocks"]],
        "estimator": {
            "kind": "sum",
            "parts": [
                {"weight": 0.75, "columns": 2, "estimator": TREES["estimator"]},
                {"weight": 0.25, "columns": 4, "estimator": LINEAR["estimator"]},
            ],
        },
    }
