"""Kinds of target: how models of each are trained and asked, and worlds of several classes and of numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from selfheal.contract import Contract, default_contract, parse_contract
from selfheal.tasks import BINARY, Multiclass, Regression, Task
from selfheal.tasks.port import Floats, Labels
from selfheal.tasks.regression.answers import spread_of

ROWS = 150_000
FEATURES = 6
CLASSES = ("low", "fair", "good", "high")
UTILISATION = "RevolvingUtilizationOfUnsecuredLines"

type Model = HistGradientBoostingClassifier | HistGradientBoostingRegressor


@dataclass(frozen=True)
class Kind:
    """What models of one kind of target are fitted by and say. scaled: what a broken one gets in another unit."""

    contract: Contract
    task: Task
    estimator: Callable[..., Model]
    answers: Callable[[Any, pd.DataFrame], Floats]
    scaled: str


def of_two_values() -> Kind:
    return Kind(
        default_contract(), BINARY, HistGradientBoostingClassifier, lambda m, x: m.predict_proba(x)[:, 1], UTILISATION
    )


def classes() -> tuple[pd.DataFrame, Labels, Kind]:
    """Four classes of unequal frequency, by where a noisy level lies."""
    features, level = _rows(seed=21)
    noisy = level + 0.7 * np.random.default_rng(22).normal(size=ROWS)
    labels = np.digitize(noisy, np.quantile(noisy, [0.3, 0.7, 0.9])).astype(np.int8)
    header = f'[model]\nname = "classes"\ntarget = "y"\ntask = "multiclass"\nclasses = {list(CLASSES)}\n'
    contract = parse_contract(header + _described())
    said = lambda model, rows: model.predict_proba(rows)  # noqa: E731 - one expression
    return features, labels, Kind(contract, Multiclass(CLASSES), HistGradientBoostingClassifier, said, "f0")


def numbers() -> tuple[pd.DataFrame, Labels, Kind]:
    """A level in some unit, with noise that grows with it and a tail."""
    features, level = _rows(seed=23)
    noise = np.random.default_rng(24).standard_t(5, size=ROWS)
    labels = 100 + 30 * level + 25 * (1 + 0.3 * np.abs(level)) * noise
    contract = parse_contract('[model]\nname = "numbers"\ntarget = "y"\ntask = "regression"\n' + _described())
    said = lambda model, rows: model.predict(rows)  # noqa: E731 - one expression
    return features, labels, Kind(contract, Regression(spread_of(labels)), HistGradientBoostingRegressor, said, "f0")


def _rows(seed: int) -> tuple[pd.DataFrame, Floats]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, FEATURES))
    level = np.sin(2 * x[:, 0]) + 0.6 * x[:, 1] * x[:, 2] + 0.8 * np.abs(x[:, 3]) + 0.3 * x[:, 4]
    features = pd.DataFrame({f"f{place}": x[:, place] for place in range(FEATURES)})
    return features.assign(age=rng.uniform(20, 75, ROWS)), level


def _described() -> str:
    names = (*(f"f{place}" for place in range(FEATURES)), "age")
    features = "".join(f'[features.{name}]\ntype = "number"\n' for name in names)
    return f'{features}[[segments]]\nfeature = "age"\nedges = [30, 45, 60]\n'
