"""LightGBM on the contract's features: numbers as they are, categories as codes that it splits natively."""

from typing import Any

import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from selfheal.contract import Contract

SETTINGS: dict[str, Any] = {"n_estimators": 120, "num_leaves": 15, "learning_rate": 0.06, "min_child_samples": 30}


def lightgbm(contract: Contract, rows: pd.DataFrame, seed: int) -> Pipeline:  # noqa: ARG001 - a trainer's arguments
    """An unfitted pipeline. `rows` are those that will be fitted, with the target's column."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
    columns = ColumnTransformer(
        [
            ("categories", encoder, list(contract.category_features)),
            ("numbers", "passthrough", list(contract.numeric_features)),
        ]
    )
    kind = LGBMRegressor if contract.model.task == "regression" else LGBMClassifier
    return make_pipeline(columns, kind(**SETTINGS, random_state=seed, n_jobs=1, verbose=-1))
