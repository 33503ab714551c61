"""Estimators that people bring, by task; `python -m tests.support.estimators` writes the table of docs/trainers.md."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn import ensemble, linear_model, svm, tree
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)

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


def member(estimator: Any) -> Pipeline:
    """A pipeline of its own that reads the contract's features: columns of numbers, no missing ones."""
    return make_pipeline(expanded(), estimator)


def as_they_come() -> FunctionTransformer:
    """The contract's features, for ensembles whose members are pipelines."""
    return FunctionTransformer()


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
BY_SIX, BY_LIBRARY = {"n_estimators": 6, "random_state": 0}, {**LIGHT, "n_estimators": 6}


def members(task: str) -> list[tuple[str, Any]]:
    """Three kinds, one of them with columns of its own."""
    if task == "regression":
        return [
            ("line", member(linear_model.Ridge())),
            ("trees", make_pipeline(filled(), ensemble.RandomForestRegressor(**BY_SIX, max_depth=5))),
            ("light", make_pipeline(coded(), lightgbm.LGBMRegressor(**BY_LIBRARY))),
        ]
    return [
        ("line", member(linear_model.LogisticRegression())),
        ("trees", make_pipeline(filled(), ensemble.RandomForestClassifier(**BY_SIX, max_depth=5))),
        ("light", make_pipeline(coded(), lightgbm.LGBMClassifier(**BY_LIBRARY))),
    ]


def _stack_of_votes() -> Any:
    votes = ensemble.VotingClassifier(members("binary"), voting="soft")
    hinge = CalibratedClassifierCV(member(linear_model.SGDClassifier(random_state=0)), cv=2)
    return ensemble.StackingClassifier(
        [("votes", votes), ("hinge", hinge)],
        make_pipeline(StandardScaler(), lightgbm.LGBMClassifier(**BY_LIBRARY)),
        cv=2,
    )


ENSEMBLES = (
    Case(
        "Voting (soft, weighted)",
        both(
            lambda: ensemble.VotingClassifier(members("binary"), voting="soft", weights=[1, 2, 0.5]),
            lambda: ensemble.VotingRegressor(members("regression"), weights=[1, 2, 0.5]),
        ),
        as_they_come,
    ),
    Case(
        "Stacking",
        both(
            lambda: ensemble.StackingClassifier(members("binary"), cv=2),
            lambda: ensemble.StackingRegressor(members("regression"), cv=2),
        ),
        as_they_come,
    ),
    Case(
        "Stacking (columns passed through, boosted)",
        both(
            lambda: ensemble.StackingClassifier(
                [
                    ("line", linear_model.LogisticRegression(solver="newton-cholesky")),
                    ("tree", tree.DecisionTreeClassifier(max_depth=4)),
                ],
                ensemble.HistGradientBoostingClassifier(max_iter=6),
                cv=2,
                passthrough=True,
            ),
            lambda: ensemble.StackingRegressor(
                [("line", linear_model.Ridge()), ("tree", tree.DecisionTreeRegressor(max_depth=4))],
                ensemble.HistGradientBoostingRegressor(max_iter=6),
                cv=2,
                passthrough=True,
            ),
        ),
        filled,
    ),
    Case("Stacking of votes and calibrated models", {"binary": _stack_of_votes}, as_they_come),
    Case(
        "CalibratedClassifierCV (sigmoid)",
        classes(lambda: CalibratedClassifierCV(ensemble.GradientBoostingClassifier(**BY_SIX), cv=2)),
        filled,
    ),
    Case(
        "CalibratedClassifierCV (isotonic)",
        classes(lambda: CalibratedClassifierCV(lightgbm.LGBMClassifier(**BY_LIBRARY), method="isotonic", cv=2)),
        coded,
    ),
    Case(
        "CalibratedClassifierCV of LinearSVC",
        classes(lambda: CalibratedClassifierCV(svm.LinearSVC(), cv=2)),
        expanded,
    ),
)


def numbers_through(*steps: Any) -> Make:
    """Numbers filled in, then these steps; categories a column each."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, drop="first")
    return lambda: ColumnTransformer(
        [("c", encoder, ["c"]), ("numbers", make_pipeline(SimpleImputer(), *steps), ["x", "z"])]
    )


def categories_through(*steps: Any) -> Make:
    """Categories by these steps; numbers filled in and scaled."""
    return lambda: ColumnTransformer(
        [("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["x", "z"]), ("c", make_pipeline(*steps), ["c"])]
    )


UNSEEN = {"handle_unknown": "use_encoded_value", "unknown_value": -1}


def united() -> Pipeline:
    """Frames from part to part, columns by the names that `set_output` gives them, several parts beside each other."""
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [("c", encoder, ["c"]), ("filled", SimpleImputer(add_indicator=True), ["x", "z"])], remainder="passthrough"
    )
    union = FeatureUnion(
        [("scaled", StandardScaler()), ("best", SelectKBest(f_regression, k=2))], transformer_weights={"scaled": 0.5}
    )
    again = ColumnTransformer([("again", RobustScaler(), ["filled__x", "c__c_b"])], remainder="passthrough")
    return make_pipeline(columns, again, union).set_output(transform="pandas")


LINES = both(linear_model.LogisticRegression, linear_model.Ridge)
TREES = both(lambda: ensemble.RandomForestClassifier(**BY_SIX), lambda: ensemble.RandomForestRegressor(**BY_SIX))
PREPARATIONS = (
    Case(
        "RobustScaler, MinMaxScaler(clip=True), MaxAbsScaler",
        LINES,
        numbers_through(RobustScaler(), MinMaxScaler((-1, 2), clip=True), MaxAbsScaler()),
    ),
    Case("PowerTransformer", LINES, numbers_through(PowerTransformer())),
    Case(
        "QuantileTransformer (normal)",
        LINES,
        numbers_through(QuantileTransformer(n_quantiles=50, output_distribution="normal")),
    ),
    Case("SplineTransformer (constant)", LINES, numbers_through(SplineTransformer())),
    Case(
        "SplineTransformer (linear)",
        LINES,
        numbers_through(
            StandardScaler(),
            SplineTransformer(4, degree=2, extrapolation="linear", knots="quantile", include_bias=False),
        ),
    ),
    Case(
        "KBinsDiscretizer (one column a bin)",
        LINES,
        numbers_through(KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf")),
    ),
    Case(
        "KBinsDiscretizer (ordinal)",
        TREES,
        numbers_through(KBinsDiscretizer(6, encode="ordinal", quantile_method="averaged_inverted_cdf")),
    ),
    Case(
        "OneHotEncoder (missing ones filled in), scaled",
        LINES,
        categories_through(
            SimpleImputer(strategy="constant", fill_value="none", missing_values=None),
            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            StandardScaler(),
        ),
    ),
    Case(
        "OrdinalEncoder to a linear model",
        LINES,
        categories_through(OrdinalEncoder(**UNSEEN, encoded_missing_value=-1), StandardScaler()),
    ),
    Case("TargetEncoder", LINES, categories_through(TargetEncoder(cv=3))),
    Case(
        "MissingIndicator of categories",
        LINES,
        categories_through(
            FeatureUnion(
                [
                    ("is", MissingIndicator(missing_values=None, features="all")),
                    ("which", OneHotEncoder(handle_unknown="ignore", sparse_output=False)),
                ]
            )
        ),
    ),
    Case("FeatureUnion, SelectKBest, set_output, remainder", LINES, united),
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
    labels = rows.labels if task == "regression" else rows.labels.astype(np.int64)
    member = Member(pipeline.fit(rows.features, labels))
    outputs = 3 if task == "multiclass" else 1
    return FittedModel([member], calibration or Calibration(), 0.5, LINKS[task], outputs)


def table() -> str:
    return f"{_rows('estimator', (*CASES, *ENSEMBLES))}\n{_rows('preparation', PREPARATIONS)}"


def _rows(what: str, cases: Sequence[Case]) -> str:
    lines = [f"| {what} | {' | '.join(TASKS)} |", "|---|---|---|---|"]
    for case in cases:
        marks = ("to 1e-6" if "XGB" in case.name or "isotonic" in case.name else "exact" for _ in TASKS)
        told = (mark if task in case.makers else "" for task, mark in zip(TASKS, marks, strict=True))
        lines.append(f"| {case.name} | {' | '.join(told)} |")
    return "\n".join(lines) + "\n"


def written(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    TABLE.write_text(written(TABLE.read_text(encoding="utf-8")), encoding="utf-8")
