"""Estimators that people bring, by task; `python -m tests.support.estimators` writes the table of docs/trainers.md."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn import ensemble, linear_model, tree
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from selfheal.contract import Contract, parse_contract
from selfheal.models.fitted import Calibration, FittedModel, Member
from selfheal.tables.dataset import Dataset, typed_features

TASKS = ("binary", "multiclass", "regression")
LINKS = {"binary": "expit", "multiclass": "softmax", "regression": "identity"}
ROWS = 700
TABLE = Path(__file__).parents[2] / "docs" / "trainers.md"
BEGIN, END = "<!-- estimators: written by tests -->\n", "<!-- end -->\n"

type Make = Callable[[], Any]


@dataclass(frozen=True)
class Case:
    """An estimator by task, and how its columns are made: as numbers and codes, or as numbers alone."""

    name: str
    makers: Mapping[str, Make]
    columns: Make


def coded() -> ColumnTransformer:
    """Categories as codes (-1 of an unseen one), numbers as they are, missing ones among them."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    return ColumnTransformer([("c", encoder, ["c"]), ("numbers", "passthrough", ["x", "z"])])


def filled() -> ColumnTransformer:
    """The same with missing numbers filled in."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    return ColumnTransformer([("c", encoder, ["c"]), ("numbers", SimpleImputer(add_indicator=True), ["x", "z"])])


def expanded() -> ColumnTransformer:
    """A column for each category, numbers scaled."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return ColumnTransformer([("c", encoder, ["c"]), ("numbers", numbers, ["x", "z"])])


def classes(make: Make) -> dict[str, Make]:
    return {"binary": make, "multiclass": make}


def both(classifier: Make, regressor: Make) -> dict[str, Make]:
    return {**classes(classifier), "regression": regressor}


FEW = {"n_estimators": 12, "random_state": 0}
LIGHT = {**FEW, "num_leaves": 31, "min_child_samples": 5, "verbose": -1, "n_jobs": 1}
EXTREME = {**FEW, "max_depth": 5, "n_jobs": 1}
CASES = (
    Case("LogisticRegression", classes(linear_model.LogisticRegression), expanded),
    Case("SGDClassifier (log_loss)", {"binary": lambda: linear_model.SGDClassifier(loss="log_loss")}, expanded),
    Case("LinearRegression", {"regression": linear_model.LinearRegression}, expanded),
    Case("Ridge", {"regression": linear_model.Ridge}, expanded),
    Case("Lasso", {"regression": lambda: linear_model.Lasso(alpha=0.01)}, expanded),
    Case("ElasticNet", {"regression": lambda: linear_model.ElasticNet(alpha=0.01)}, expanded),
    Case("SGDRegressor", {"regression": linear_model.SGDRegressor}, expanded),
    Case(
        "DecisionTree",
        both(
            lambda: tree.DecisionTreeClassifier(max_depth=9, random_state=0),
            lambda: tree.DecisionTreeRegressor(max_depth=9, random_state=0),
        ),
        coded,
    ),
    Case(
        "RandomForest",
        both(lambda: ensemble.RandomForestClassifier(**FEW), lambda: ensemble.RandomForestRegressor(**FEW)),
        coded,
    ),
    Case(
        "ExtraTrees",
        both(lambda: ensemble.ExtraTreesClassifier(**FEW), lambda: ensemble.ExtraTreesRegressor(**FEW)),
        coded,
    ),
    Case(
        "GradientBoosting",
        both(lambda: ensemble.GradientBoostingClassifier(**FEW), lambda: ensemble.GradientBoostingRegressor(**FEW)),
        filled,
    ),
    Case(
        "HistGradientBoosting",
        both(
            lambda: ensemble.HistGradientBoostingClassifier(max_iter=20),
            lambda: ensemble.HistGradientBoostingRegressor(max_iter=20),
        ),
        coded,
    ),
    Case(
        "HistGradientBoosting (categories, 200 leaves)",
        both(
            lambda: ensemble.HistGradientBoostingClassifier(
                max_iter=6, categorical_features=[0], max_leaf_nodes=200, min_samples_leaf=2
            ),
            lambda: ensemble.HistGradientBoostingRegressor(
                max_iter=6, categorical_features=[0], max_leaf_nodes=200, min_samples_leaf=2
            ),
        ),
        coded,
    ),
    Case("LightGBM", both(lambda: lightgbm.LGBMClassifier(**LIGHT), lambda: lightgbm.LGBMRegressor(**LIGHT)), coded),
    Case(
        "LightGBM (categories, 127 leaves)",
        both(
            lambda: lightgbm.LGBMClassifier(**{**LIGHT, "num_leaves": 127}, categorical_feature=[0]),
            lambda: lightgbm.LGBMRegressor(**{**LIGHT, "num_leaves": 127}, categorical_feature=[0]),
        ),
        coded,
    ),
    Case("XGBoost", both(lambda: xgboost.XGBClassifier(**EXTREME), lambda: xgboost.XGBRegressor(**EXTREME)), coded),
    Case(
        "XGBoost (categories)",
        both(
            lambda: xgboost.XGBClassifier(**EXTREME, enable_categorical=True, feature_types=["c", "q", "q"]),
            lambda: xgboost.XGBRegressor(**EXTREME, enable_categorical=True, feature_types=["c", "q", "q"]),
        ),
        lambda: ColumnTransformer(
            [
                (
                    "c",
                    OrdinalEncoder(
                        handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan
                    ),
                    ["c"],
                ),
                ("numbers", "passthrough", ["x", "z"]),
            ]
        ),
    ),
)


@cache
def contract_of(task: str) -> Contract:
    kinds = {"binary": "", "multiclass": 'task = "multiclass"\nclasses = ["0", "1", "2"]\n'}
    told = kinds.get(task, f'task = "{task}"\n')
    return parse_contract(
        f'[model]\nname = "brought"\ntarget = "y"\n{told}[features.x]\ntype = "number"\nnullable = true\n'
        '[features.c]\ntype = "category"\nnullable = true\n[features.z]\ntype = "number"\n'
    )


@cache
def rows_of(task: str) -> Dataset:
    random = np.random.default_rng(7)
    x, z = random.normal(size=ROWS), random.lognormal(sigma=3, size=ROWS)
    c = random.choice(["a", "b", "c", "d"], ROWS).astype(object)
    signal = x * np.where(c == "b", -2.0, 1.0) + np.log(z) / 3 + random.normal(size=ROWS)
    labels = {
        "binary": (signal > 0).astype(np.int8),
        "multiclass": np.digitize(signal, [-0.7, 0.7]).astype(np.int8),
        "regression": signal * 10,
    }[task]
    x[random.random(ROWS) < 0.1], c[random.random(ROWS) < 0.1] = np.nan, None
    ids = np.array([f"row-{row}" for row in range(ROWS)], dtype=object)
    moments = np.datetime64("2026-01-01", "us") + np.arange(ROWS)
    features = typed_features(pd.DataFrame({"x": x, "c": c, "z": z}), contract_of(task))
    return Dataset(ids, moments, features, labels)


def fitted_model(case: Case, task: str, calibration: Calibration | None = None) -> FittedModel:
    rows = rows_of(task)
    pipeline: Pipeline = make_pipeline(case.columns(), case.makers[task]())
    member = Member(pipeline.fit(rows.features, rows.labels))
    outputs = 3 if task == "multiclass" else 1
    return FittedModel([member], calibration or Calibration(), 0.5, LINKS[task], outputs)


def table() -> str:
    lines = [f"| estimator | {' | '.join(TASKS)} |", "|---|---|---|---|"]
    for case in CASES:
        marks = ("exact" if "XGB" not in case.name else "to 1e-6" for _ in TASKS)
        told = (mark if task in case.makers else "" for task, mark in zip(TASKS, marks, strict=True))
        lines.append(f"| {case.name} | {' | '.join(told)} |")
    return "\n".join(lines) + "\n"


def written(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    TABLE.write_text(written(TABLE.read_text(encoding="utf-8")), encoding="utf-8")
