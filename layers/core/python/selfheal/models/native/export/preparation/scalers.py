"""Numbers on another scale, and functions of single numbers."""

from typing import Any

import numpy as np
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from selfheal.errors import ExportInexact
from selfheal.models.native.export.columns import Column
from selfheal.models.native.export.preparation.prepared import prepared


def _standardised(columns: list[Column], means: Any, scales: Any) -> list[Column]:
    return [
        column.then(kind="standardise", mean=float(mean), scale=float(scale))
        for column, mean, scale in zip(columns, means, scales, strict=True)
    ]


@prepared.register
def _(step: StandardScaler, columns: list[Column]) -> list[Column]:
    # The mean is known even where it isn't subtracted.
    means = step.mean_ if step.with_mean else np.zeros(len(columns))
    return _standardised(columns, means, step.scale_ if step.with_std else np.ones(len(columns)))


@prepared.register
def _(step: RobustScaler, columns: list[Column]) -> list[Column]:
    means = step.center_ if step.with_centering else np.zeros(len(columns))
    return _standardised(columns, means, step.scale_ if step.with_scaling else np.ones(len(columns)))


@prepared.register
def _(step: MaxAbsScaler, columns: list[Column]) -> list[Column]:
    if getattr(step, "clip", False):
        raise ExportInexact("MaxAbsScaler(clip=True) can't be served: use MinMaxScaler(clip=True)")
    return _standardised(columns, np.zeros(len(columns)), step.scale_)


@prepared.register
def _(step: MinMaxScaler, columns: list[Column]) -> list[Column]:
    limits = dict(zip(("low", "high"), map(float, step.feature_range), strict=True)) if step.clip else {}
    return [
        column.then(kind="scale", factor=float(factor), offset=float(offset), **limits)
        for column, factor, offset in zip(columns, step.scale_, step.min_, strict=True)
    ]


@prepared.register
def _(step: PowerTransformer, columns: list[Column]) -> list[Column]:
    powered = [
        column.then(kind="power", method=step.method, exponent=float(exponent))
        for column, exponent in zip(columns, step.lambdas_, strict=True)
    ]
    return prepared(step._scaler, powered) if step.standardize else powered  # noqa: SLF001


@prepared.register
def _(step: FunctionTransformer, columns: list[Column]) -> list[Column]:
    if step.func is None:
        # What a column transformer makes of "passthrough".
        return columns
    if step.func is not np.log1p or step.kw_args:
        raise ExportInexact(
            "model.json has no words for a function of one's own, but for numpy.log1p: use a PowerTransformer or a "
            "SplineTransformer, or make the column before it becomes a feature"
        )
    return [column.then(kind="log1p") for column in columns]
