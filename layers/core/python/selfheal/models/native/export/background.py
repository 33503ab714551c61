"""What reasons are measured against: how much each column of a linear part adds on average over training's rows."""

from typing import Any

import numpy as np
import orjson
import pandas as pd

from selfheal.models.native.model import load_artefact
from selfheal.tables.table import columns_of

# A mean of more rows is hardly another one.
MOST_ROWS = 20_000


def with_background(document: dict[str, Any], features: pd.DataFrame) -> dict[str, Any]:
    """The document of a model with `expected` in its linear parts. Raises ArtefactRefused."""
    rows = np.linspace(0, len(features) - 1, min(len(features), MOST_ROWS)).astype(int)
    columns = load_artefact(orjson.dumps(document)).read(columns_of(features.iloc[rows]))
    return {**document, "estimator": _with_expected(document["estimator"], columns)}


def _with_expected(estimator: dict[str, Any], columns: list[Any]) -> dict[str, Any]:
    if estimator["kind"] == "outputs":
        return {**estimator, "outputs": [_with_expected(output, columns) for output in estimator["outputs"]]}
    if estimator["kind"] == "sum":
        return {**estimator, "parts": _parts(estimator["parts"], columns)}
    if estimator["kind"] != "linear":
        return estimator
    pairs = zip(estimator["coefficients"], columns, strict=True)
    return {**estimator, "expected": [coefficient * float(column.mean()) for coefficient, column in pairs]}


def _parts(parts: list[dict[str, Any]], columns: list[Any]) -> list[dict[str, Any]]:
    found, first = [], 0
    for part in parts:
        last = first + part["columns"]
        found.append({**part, "estimator": _with_expected(part["estimator"], columns[first:last])})
        first = last
    return found
