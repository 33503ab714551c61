"""Missing values: filled in, or said as a column of their own."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.impute import MissingIndicator, SimpleImputer

from selfheal.errors import ExportInexact
from selfheal.models.native.export.columns import Column
from selfheal.models.native.export.preparation.prepared import prepared


@prepared.register
def _(step: SimpleImputer, columns: list[Column]) -> list[Column]:
    _refuse_other_marks(step.missing_values, columns)
    kept = range(len(columns)) if step.keep_empty_features else np.flatnonzero(~pd.isna(step.statistics_)).tolist()
    imputed = [_filled(columns[place], step.statistics_[place], step.missing_values) for place in kept]
    return imputed if step.indicator_ is None else [*imputed, *prepared(step.indicator_, columns)]


def _filled(column: Column, value: object, missing: object) -> Column:
    if not column.is_category:
        return column.then(kind="impute", value=float(str(value)))
    # A missing category is None, which scikit-learn doesn't take for NaN.
    return Column({**column.block, "fill": str(value)}) if missing is None else column


@prepared.register
def _(step: MissingIndicator, columns: list[Column]) -> list[Column]:
    _refuse_other_marks(step.missing_values, columns)
    return [_indicator(columns[place], step.missing_values) for place in step.features_]


def _indicator(column: Column, missing: object) -> Column:
    if not column.is_category:
        return column.then(kind="missing")
    here = float(missing is None and column.block["fill"] is None)
    feature = column.block["feature"]
    return Column({"kind": "look_up", "feature": feature, "numbers": {}, "missing": here, "unknown": 0.0})


def _refuse_other_marks(missing: Any, columns: list[Column]) -> None:
    is_marked = missing is not None and not pd.isna(missing)
    if is_marked or (missing is None and any(not column.is_category for column in columns)):
        raise ExportInexact(
            f"missing values marked by {missing!r} can't be served: rows mark numbers by NaN and categories by None"
        )
