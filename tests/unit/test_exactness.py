"""The exported model against scikit-learn: many rows, hard rows, and randomly put together pipelines."""

import json
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, PolynomialFeatures, QuantileTransformer, StandardScaler

from selfheal.contract import Contract
from selfheal.data.inputs import Inputs
from selfheal.errors import ArtefactRefused, ExportInexact
from selfheal.models.fitted import Calibration, FittedModel, Member
from selfheal.models.native import load_artefact
from selfheal.models.native.export.document import document
from selfheal.models.native.export.probes import probe_rows
from selfheal.models.native.export.proof import export
from selfheal.tables.dataset import Dataset
from selfheal.training import pipelines
from tests.support.rows import MIXED, mixed_rows

ROWS = 100_000
NUMBERS, CATEGORIES = ["amount", "count", "member"], ["plan", "agent"]


def columns_of(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    return {name: frame[name].to_numpy() for name in MIXED.feature_names}


def plain_model(kind: str, rows: Dataset, contract: Contract = MIXED, **parameters: Any) -> FittedModel:
    make = {"logistic": pipelines.logistic, "boosting": pipelines.boosting}[kind]
    fitted = make(Inputs.of(contract, rows.features), seed=0, **parameters).fit(rows.features, rows.labels)
    return FittedModel([Member(fitted)], Calibration(), 0.5)


def hard_rows(model: FittedModel, rows: Dataset) -> pd.DataFrame:
    """Fresh rows; every tenth has one value at an edge of the model, missing, unseen or extreme."""
    fresh = mixed_rows(ROWS, seed=8).features
    probes = probe_rows(document(model, MIXED), rows.features, MIXED, seed=1)
    places = np.random.default_rng(2).choice(ROWS, min(len(probes), ROWS // 10), replace=False)
    for name in fresh:
        values = fresh[name].to_numpy(copy=True)
        values[places] = probes[name].to_numpy()[: len(places)]
        fresh[name] = pd.Series(values, dtype=fresh[name].dtype)
    return fresh


@pytest.mark.parametrize("kind", ["logistic", "boosting"])
def test_a_hundred_thousand_rows_equal_scikit_learn(kind: str):
    """To 1e-12, bit for bit with boosting; and one row at a time has the bits of many."""
    rows = mixed_rows(3000)
    model = plain_model(kind, rows, **({"max_iter": 20} if kind == "boosting" else {}))
    frame = hard_rows(model, rows)
    artefact = load_artefact(export(model, rows.features, MIXED))
    many, expected = artefact.probabilities_of(columns_of(frame)), model.probabilities(frame)
    assert np.abs(many - expected).max() <= 1e-12
    assert kind == "logistic" or (many == expected).all()
    records = frame.iloc[::500].to_dict("records")
    assert [artefact.probabilities([record])[0] for record in records] == many[::500].tolist()
    assert artefact.probabilities(records) == many[::500].tolist()


def chain(draw: st.DrawFn, *, imputed: bool) -> list[Any]:
    imputers = [
        SimpleImputer(
            strategy=draw(st.sampled_from(["mean", "median", "most_frequent"])), add_indicator=draw(st.booleans())
        ),
        SimpleImputer(strategy="constant", fill_value=draw(st.floats(-5, 5))),
    ]
    scalers = [
        StandardScaler(with_mean=draw(st.booleans()), with_std=draw(st.booleans())),
        QuantileTransformer(n_quantiles=draw(st.integers(2, 60)), subsample=None),
    ]
    wanted = draw(st.permutations(scalers))[: draw(st.integers(0, 2))]
    return [draw(st.sampled_from(imputers)), *wanted] if imputed or draw(st.booleans()) else wanted


@st.composite
def one_hot(draw: st.DrawFn) -> OneHotEncoder:
    handling = draw(st.sampled_from(["ignore", "infrequent_if_exist"]))
    return OneHotEncoder(
        min_frequency=draw(st.sampled_from([None, 5, 30])),
        max_categories=draw(st.sampled_from([None, 3, 20])),
        handle_unknown=handling,
        sparse_output=False,
    )


@st.composite
def unfitted_pipelines(draw: st.DrawFn) -> Pipeline:
    """Any composition of the supported parts that scikit-learn itself can fit."""
    linear, native = draw(st.booleans()), draw(st.booleans())
    numbers = chain(draw, imputed=linear)
    parts: list[Any] = [("n", make_pipeline(*numbers) if numbers else "passthrough", draw(st.permutations(NUMBERS)))]
    if draw(st.booleans()):
        parts.append(
            (
                "m",
                MissingIndicator(features=draw(st.sampled_from(["all", "missing-only"])), error_on_new=False),
                NUMBERS,
            )
        )
    if linear:
        parts.append(("c", draw(one_hot()), CATEGORIES))
        return make_pipeline(
            ColumnTransformer(parts),
            LogisticRegression(C=draw(st.floats(0.01, 100)), max_iter=50, solver="newton-cholesky"),
        )
    categorical: list[int] | None = None
    if native:
        ordinal = OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=np.nan,
            encoded_missing_value=np.nan,
            max_categories=draw(st.sampled_from([3, 40, 254])),
        )
        parts.insert(0, ("c", ordinal, draw(st.permutations(CATEGORIES))))
        categorical = [0, 1]
    else:
        parts.append(("c", draw(one_hot()), CATEGORIES))
    boosting = HistGradientBoostingClassifier(
        max_iter=draw(st.integers(1, 12)),
        max_leaf_nodes=draw(st.integers(2, 64)),
        min_samples_leaf=draw(st.integers(1, 20)),
        categorical_features=categorical,
        early_stopping=draw(st.booleans()),
        random_state=0,
    )
    return make_pipeline(ColumnTransformer(parts), boosting)


@settings(max_examples=12)
@given(
    pipeline=unfitted_pipelines(),
    seed=st.integers(0, 10_000),
    agents=st.sampled_from([5, 300]),
    calibration=st.sampled_from([Calibration(), Calibration(0.7, -0.3)]),
)
def test_any_pipeline_of_the_supported_parts_is_exported_exactly(
    pipeline: Pipeline, seed: int, agents: int, calibration: Calibration
):
    """Imputers, indicators, scalers, quantiles, one-hot and native categories, both estimators, in any combination."""
    rows = mixed_rows(250, seed=seed, agents=agents)
    model = FittedModel([Member(pipeline.fit(rows.features, rows.labels))], calibration, 0.5)
    artefact = load_artefact(export(model, rows.features, MIXED))
    fresh = mixed_rows(300, seed=seed + 1, agents=agents).features
    assert np.abs(artefact.probabilities_of(columns_of(fresh)) - model.probabilities(fresh)).max() <= 1e-12


def test_a_part_without_words_in_the_format_is_refused_by_name():
    """A pipeline that the format can't say is not written down wrongly."""
    rows = mixed_rows(300)
    pipeline = make_pipeline(
        ColumnTransformer([("n", make_pipeline(SimpleImputer(), PolynomialFeatures()), NUMBERS)]),
        LogisticRegression(solver="newton-cholesky"),
    )
    with pytest.raises(ExportInexact, match="no words for PolynomialFeatures: use SplineTransformer"):
        export(
            FittedModel([Member(pipeline.fit(rows.features, rows.labels))], Calibration(), 0.5), rows.features, MIXED
        )


def test_an_export_that_differs_is_not_handed_out(monkeypatch: pytest.MonkeyPatch):
    """One leaf off by a thousandth is found by the probe rows."""
    rows = mixed_rows(500)
    model = plain_model("boosting", rows, max_iter=3)

    def tampered(*arguments: Any) -> dict[str, Any]:
        exported = document(*arguments)
        exported["estimator"]["trees"][1]["leaves"][0] += 0.001
        return exported

    monkeypatch.setattr("selfheal.models.native.export.proof.document", tampered)
    with pytest.raises(ExportInexact, match="differs"):
        export(model, rows.features, MIXED)


@pytest.fixture(scope="module")
def payloads() -> list[bytes]:
    rows = mixed_rows(400)
    return [
        export(plain_model(kind, rows, **parameters), rows.features, MIXED)
        for kind, parameters in (("boosting", {"max_iter": 3}), ("logistic", {}))
    ]


def answers_or_refuses(payload: bytes) -> None:
    try:
        artefact = load_artefact(payload)
    except ArtefactRefused:
        return
    records = [dict.fromkeys(MIXED.feature_names), {"amount": 1.0, "plan": "plus", "agent": "a1", "count": 2}]
    for probability in artefact.probabilities([*records] * 40):
        assert 0 <= probability <= 1


def damaged(payload: bytes, generator: random.Random) -> bytes:
    """Cut off, some bits flipped, or a piece repeated in front."""
    start, end = sorted(generator.choices(range(len(payload)), k=2))
    match generator.choice(["cut", "flip", "repeat"]):
        case "cut":
            return payload[:start]
        case "flip":
            flipped = bytearray(payload)
            for _ in range(generator.randint(1, 5)):
                flipped[generator.randrange(len(flipped))] ^= 1 << generator.randrange(8)
            return bytes(flipped)
        case _:
            return payload[start:end] + payload


@pytest.mark.parametrize("seed", range(5))
def test_damaged_bytes_are_refused_or_still_a_model(payloads: list[bytes], seed: int):
    """Refused by name, or sound by chance (a digit for another); never another error, never a hang."""
    generator = random.Random(seed)
    for _ in range(40):
        answers_or_refuses(damaged(generator.choice(payloads), generator))


WRONG = (None, True, -1, 0, 7, 10**6, 2**63, 0.5, -1e308, 1e308, "", "number", [], [0], [[0]], {}, {"kind": "missing"})


def with_one_wrong_value(document: Any, generator: random.Random) -> Any:
    place = document
    while True:
        key = generator.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], dict | list) or not place[key] or generator.random() < 0.2:
            place[key] = generator.choice(WRONG)
            return document
        place = place[key]


@pytest.mark.parametrize("seed", range(5))
def test_one_wrong_value_anywhere_is_refused_or_still_a_model(payloads: list[bytes], seed: int):
    """Indexes out of range, cycles, wrong types and lengths wherever they are: refused, or a sound model by chance."""
    generator = random.Random(seed)
    for _ in range(60):
        document = with_one_wrong_value(json.loads(generator.choice(payloads)), generator)
        answers_or_refuses(json.dumps(document).encode())
