"""A blend: one `model.json` that answers the weighted mean, in log-odds, of up to three others."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from selfheal.data.inputs import Inputs
from selfheal.errors import ArtefactRefused, BlendImpossible, ExportInexact
from selfheal.models.fitted import Calibration, FittedModel
from selfheal.models.fitted import Member as FittedMember
from selfheal.models.native import SIZE_LIMIT, load_artefact
from selfheal.models.native.blending import blended
from selfheal.models.native.blending.proof import TOLERANCE
from selfheal.models.native.export.proof import export
from selfheal.models.native.functions import expit
from selfheal.training import pipelines
from tests.support.rows import MIXED, mixed_rows

FRESH = mixed_rows(3000, seed=99).features
COLUMNS = {name: FRESH[name].to_numpy() for name in MIXED.feature_names}


def member(seed: int, calibration: Calibration | None = None, weights: tuple[float, float] = (0.75, 0.25)) -> bytes:
    """Boosting and a linear model by these weights, trained on rows of their own; categories come and go with them."""
    rows = mixed_rows(700, seed=seed)
    inputs = Inputs.of(MIXED, rows.features)
    kinds = [pipelines.boosting(inputs, seed=0, max_iter=8, max_leaf_nodes=12), pipelines.logistic(inputs, seed=0)]
    # One thread: several wait for each other on a busy machine.
    with threadpool_limits(1):
        fitted = [
            FittedMember(pipeline.fit(rows.features, rows.labels), weight)
            for pipeline, weight in zip(kinds, weights, strict=True)
            if weight
        ]
    return export(FittedModel(fitted, calibration or Calibration(), 0.4), rows.features, MIXED)


@pytest.fixture(scope="module")
def trained() -> list[bytes]:
    """Five: both kinds with and without calibration, trees alone, coefficients alone."""
    return [
        member(1),
        member(2, Calibration(0.8, -0.3)),
        member(3, weights=(1.0, 0.0)),
        member(4, Calibration(1.3, 0.2), weights=(0.0, 1.0)),
        member(5, weights=(0.5, 0.5)),
    ]


def mean_in_log_odds(members: list[tuple[bytes, float]]) -> list[float]:
    log_odds = [weight * load_artefact(payload).log_odds_of(COLUMNS) for payload, weight in members]
    return [expit(value) for value in sum(log_odds[1:], log_odds[0]).tolist()]


@settings(max_examples=15)
@given(
    which=st.lists(st.integers(0, 4), min_size=2, max_size=3),
    raw=st.lists(st.floats(1e-6, 1), min_size=3, max_size=3),
    threshold=st.floats(0, 1),
)
def test_a_blend_answers_the_weighted_mean_of_its_members_log_odds(
    trained: list[bytes], which: list[int], raw: list[float], threshold: float
):
    """To 1e-12 on fresh rows, calibration included; one row has the bits of many; the threshold is its own."""
    total = math.fsum(raw[: len(which)])
    members = [(trained[index], weight / total) for index, weight in zip(which, raw, strict=False)]
    blend = load_artefact(blended(members, threshold))
    many = blend.probabilities_of(COLUMNS)
    assert np.abs(many - mean_in_log_odds(members)).max() <= TOLERANCE
    assert [blend.probabilities([row])[0] for row in FRESH.iloc[:60].to_dict("records")] == many[:60].tolist()
    assert blend.threshold == threshold


def linear(coefficient: float, intercept: float = 0.0, *, name: str = "x", **changes: Any) -> bytes:
    """A model of one number: coefficient * x + intercept; missing counts as 0."""
    return json.dumps(
        {
            "format": "selfheal-model",
            "format_version": 1,
            "features": [{"name": name, "kind": "number"}],
            "blocks": [{"kind": "number", "feature": 0, "steps": [{"kind": "impute", "value": 0.0}]}],
            "estimator": {"kind": "linear", "intercept": intercept, "coefficients": [coefficient]},
            "calibration": None,
            "threshold": 0.5,
            **changes,
        }
    ).encode()


def test_a_mean_of_two_lines_is_the_one_computed_by_hand():
    """0.25 * (2 * (3 + 1) - 4) + 0.75 * (5 * 3) is 12.25 at x = 3: weights, slope and intercept are all in it."""
    calibrated = linear(1.0, 1.0, calibration={"slope": 2.0, "intercept": -4.0})
    blend = load_artefact(blended([(calibrated, 0.25), (linear(5.0), 0.75)], 0.5))
    assert blend.probabilities([{"x": 3.0}]) == [pytest.approx(1 / (1 + math.exp(-12.25)), rel=1e-14)]


def test_what_members_have_in_common_is_there_once(trained: list[bytes]):
    """One forest, one set of coefficients, one curve a feature; what trees read as it is stays one column."""
    documents = [json.loads(trained[index]) for index in (0, 1, 4)]
    blend = json.loads(blended([(trained[0], 0.5), (trained[1], 0.25), (trained[4], 0.25)], 0.5))
    forest, coefficients = (part["estimator"] for part in blend["estimator"]["parts"])
    assert len(forest["trees"]) == sum(len(each["estimator"]["parts"][0]["estimator"]["trees"]) for each in documents)
    numbers = [block["feature"] for block in blend["blocks"] if block["kind"] == "number"]
    assert all(numbers.count(feature) <= 3 for feature in numbers)
    curves = [block for block in blend["blocks"] if block.get("steps") and block["steps"][0]["kind"] == "quantile"]
    assert len(curves) == len({block["feature"] for block in curves}) == 3
    assert len(coefficients["coefficients"]) < sum(each["estimator"]["parts"][1]["columns"] for each in documents)


@st.composite
def curves(draw: st.DrawFn) -> dict[str, Any]:
    """Steps of one number: imputed, then a line between knots with a jump on each, then perhaps scaled."""
    knots = sorted(draw(st.sets(st.integers(-8, 8), min_size=1, max_size=6)))
    values = st.lists(st.floats(-1, 1), min_size=len(knots), max_size=len(knots))
    quantile = {"kind": "quantile", "knots": knots, "at": draw(values), "before": draw(values), "after": draw(values)}
    scale = {"kind": "standardise", "mean": draw(st.floats(-1, 1)), "scale": draw(st.floats(0.5, 2))}
    steps = [{"kind": "impute", "value": draw(st.integers(-9, 9))}, quantile, *draw(st.sampled_from([[], [scale]]))]
    return {"blocks": [{"kind": "number", "feature": 0, "steps": steps}]}


@settings(max_examples=40)
@given(steps=st.lists(curves(), min_size=2, max_size=3), coefficients=st.tuples(*[st.floats(-3, 3)] * 3))
def test_the_curves_of_a_feature_add_up_wherever_they_bend_or_jump(
    steps: list[dict[str, Any]], coefficients: tuple[float, ...]
):
    """On, between and beside the knots of each, beyond them, and missing."""
    members = [
        (linear(coefficient, 0.5, **changes), 1 / len(steps))
        for changes, coefficient in zip(steps, coefficients, strict=False)
    ]
    at = [place / 2 for place in range(-20, 21)]
    x = np.array([*at, *np.nextafter(at, -np.inf), *np.nextafter(at, np.inf), -1e300, 1e300, np.nan])
    blend = blended(members, 0.5)
    assert len(json.loads(blend)["blocks"]) == 1
    expected = sum(weight * load_artefact(payload).log_odds_of({"x": x}) for payload, weight in members)
    assert load_artefact(blend).log_odds_of({"x": x}) == pytest.approx(expected, abs=1e-13)


def one_hot(
    codes: dict[str, int], coefficients: list[float], *, missing: int | None, unknown: int | None, columns: int = 1
) -> bytes:
    """A model of one category: the coefficient of its code."""
    block = {"kind": "one_hot", "feature": 0, "codes": codes, "size": len(coefficients) // columns}
    return linear(
        0.0,
        features=[{"name": "c", "kind": "category"}],
        blocks=[{**block, "missing": missing, "unknown": unknown}] * columns,
        estimator={"kind": "linear", "intercept": 0.0, "coefficients": coefficients},
    )


def test_the_effects_of_a_category_add_up_however_each_member_encodes_it():
    """Other codes, one column for several, missing and unseen ones with a column or without: one block in the blend."""
    members = [
        (one_hot({"a": 0, "b": 1}, [1.0, 10.0], missing=1, unknown=None), 0.5),
        (one_hot({"b": 0, "c": 1, "d": 1}, [100.0, 1000.0], missing=None, unknown=1), 0.25),
        (one_hot({"d": 0}, [3.0, 5.0], missing=0, unknown=None, columns=2), 0.25),
    ]
    blend = blended(members, 0.5)
    assert len(json.loads(blend)["blocks"]) == 1
    expected = {"a": 250.5, "b": 30.0, "c": 250.0, "d": 252.0, None: 7.0, "unseen": 250.0}
    answers = load_artefact(blend).log_odds_of({"c": np.array([*expected], dtype=object)})
    assert answers.tolist() == [*expected.values()]


def test_a_single_member_keeps_its_bits_and_gets_the_threshold(trained: list[bytes]):
    """Its document with another threshold, whatever its own calibration."""
    for payload in trained:
        alone = blended([(payload, 1.0)], 0.125)
        assert json.loads(alone) == {**json.loads(payload), "threshold": 0.125}
        assert (
            load_artefact(alone).probabilities_of(COLUMNS) == load_artefact(payload).probabilities_of(COLUMNS)
        ).all()


def test_the_same_members_and_weights_give_the_same_bytes(trained: list[bytes]):
    """So that whoever verifies a version can build it again and compare hashes."""
    members = [(trained[0], 0.5), (trained[1], 0.3), (trained[2], 0.2)]
    of_numpy = [(payload, np.float64(weight)) for payload, weight in members]
    assert blended(members, 0.3) == blended(members, 0.3) == blended(of_numpy, np.float64(0.3))


@pytest.mark.parametrize(
    "weights",
    [[0.5, 0.4], [1.5, -0.5], [1.0, 0.0], [float("nan"), 1.0], [float("inf"), 0.5], []],
)
def test_weights_that_are_no_shares_are_refused(weights: list[float]):
    """Zero, negative, not a number, or not adding up to 1."""
    with pytest.raises(BlendImpossible, match=r"weights|members"):
        blended([(linear(1.0), weight) for weight in weights], 0.5)


def test_more_than_three_members_are_refused():
    """The latency that was promised is that of three."""
    with pytest.raises(BlendImpossible, match="3 members, not 4"):
        blended([(linear(1.0), 0.25)] * 4, 0.5)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(threshold: float):
    """The operating point lies between 0 and 1."""
    with pytest.raises(BlendImpossible, match="threshold"):
        blended([(linear(1.0), 1.0)], threshold)


def test_members_of_different_contracts_are_refused_by_the_feature():
    """Another name, another kind, another order: the message says which and what to do."""
    with pytest.raises(BlendImpossible, match=r"differ in x, z.*one contract"):
        blended([(linear(1.0), 0.5), (linear(1.0, name="z"), 0.5)], 0.5)
    two = [{"name": "x", "kind": "number"}, {"name": "c", "kind": "category"}]
    with pytest.raises(BlendImpossible, match="another order"):
        blended(
            [
                (linear(1.0, features=two), 0.5),
                (linear(1.0, features=two[::-1], blocks=[], estimator=CONSTANT), 0.5),
            ],
            0.5,
        )


CONSTANT = {"kind": "linear", "intercept": 0.0, "coefficients": []}


def test_a_member_that_is_not_sound_is_refused():
    """A damaged member doesn't get into a blend."""
    with pytest.raises(ArtefactRefused):
        blended([(linear(1.0), 0.5), (linear(1.0)[:-5], 0.5)], 0.5)


def test_a_blend_larger_than_a_predictor_reads_is_refused_with_what_to_do():
    """Two members that fit and a blend that doesn't."""
    tail = "x" * (SIZE_LIMIT // 10)
    members = [
        (one_hot({f"{name}{number}{tail}": 0 for number in range(6)}, [1.0], missing=None, unknown=None), 0.5)
        for name in "ab"
    ]
    assert all(len(payload) < SIZE_LIMIT for payload, _ in members)
    with pytest.raises(BlendImpossible, match=f"{SIZE_LIMIT} are served: blend fewer members"):
        blended(members, 0.5)


def test_a_blend_that_differs_from_its_members_is_not_handed_out(trained: list[bytes], monkeypatch: pytest.MonkeyPatch):
    """One leaf of one tree off by a thousandth is found by the probe rows."""
    from selfheal.models.native.blending import blend
    from selfheal.models.native.blending.merging import merged

    def tampered(*arguments: Any) -> dict[str, Any]:
        document = json.loads(json.dumps(merged(*arguments)))
        document["estimator"]["parts"][0]["estimator"]["trees"][5]["leaves"][0] += 0.001
        return document

    monkeypatch.setattr(blend, "merged", tampered)
    with pytest.raises(ExportInexact, match="differs from its members' mean"):
        blended([(trained[0], 0.5), (trained[1], 0.5)], 0.5)
