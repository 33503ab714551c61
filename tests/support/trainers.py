"""Trainers of users, good and bad."""

import os
import sys
import time
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

SEEN: list[int] = []
PEEKED: list[Any] = []


def _columns(contract: Any) -> ColumnTransformer:
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [
            ("categories", encoder, list(contract.category_features)),
            ("numbers", SimpleImputer(), list(contract.numeric_features)),
        ]
    )


def forest(contract: Any, rows: Any, seed: int) -> Any:
    SEEN.append(len(rows))
    assert rows[contract.model.target].isin([0, 1]).all()
    return make_pipeline(_columns(contract), RandomForestClassifier(n_estimators=8, max_depth=6, random_state=seed))


def staged(contract: Any, rows: Any, seed: int) -> Any:
    return make_pipeline(
        _columns(contract), GradientBoostingClassifier(n_estimators=60, learning_rate=1.0, random_state=seed)
    )


def searched(contract: Any, rows: Any, seed: int) -> Any:
    pipeline = make_pipeline(_columns(contract), LogisticRegression(solver="newton-cholesky"))
    return GridSearchCV(pipeline, {"logisticregression__C": [0.1, 1.0]}, cv=3)


def spoiling(contract: Any, rows: Any, seed: int) -> Any:
    rows[list(contract.numeric_features)] = np.nan
    return forest(contract, rows.assign(**{contract.model.target: 0}), seed)


def raising(contract: Any, rows: Any, seed: int) -> Any:
    raise ValueError(f"secret {rows.iloc[0, 0]}")


def hanging(contract: Any, rows: Any, seed: int) -> Any:
    """Never returns; says that it was asked."""
    sys.stdout.write("hanging now\n")
    sys.stdout.flush()
    time.sleep(600)


def peeking(contract: Any, rows: Any, seed: int) -> Any:
    """Keeps all that it can get hold of: its rows, and what frames they were cut from."""
    PEEKED.append((rows, rows[contract.numeric_features[0]].to_numpy().base))
    return forest(contract, rows, seed)


def neighbours(contract: Any, rows: Any, seed: int) -> Any:
    return make_pipeline(_columns(contract), KNeighborsClassifier())


def voting(contract: Any, rows: Any, seed: int) -> Any:
    """Hard votes have no probabilities."""
    return make_pipeline(_columns(contract), VotingClassifier([("one", LogisticRegression(solver="newton-cholesky"))]))


def regressor(contract: Any, rows: Any, seed: int) -> Any:
    return make_pipeline(_columns(contract), Ridge())


def text(contract: Any, rows: Any, seed: int) -> Any:
    return os.sep
