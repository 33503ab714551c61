"""Transformers made of others, and those that only choose among columns."""

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline

from selfheal.models.native.export.columns import Column
from selfheal.models.native.export.preparation.prepared import prepared


@prepared.register
def _(step: ColumnTransformer, columns: list[Column]) -> list[Column]:
    # By place: names are those of the frame that it was fitted on, or of what a step before it makes of them.
    places = step._transformer_to_input_indices  # noqa: SLF001
    return [
        column
        for name, transformer, _ in step.transformers_
        for column in _of(transformer, [columns[place] for place in places[name]])
    ]


@prepared.register
def _(step: FeatureUnion, columns: list[Column]) -> list[Column]:
    weights = step.transformer_weights or {}
    made: list[Column] = []
    for name, transformer in step.transformer_list:
        of_part = _of(transformer, columns)
        factor = float(weights.get(name, 1.0))
        made += of_part if factor == 1 else [one.then(kind="scale", factor=factor, offset=0.0) for one in of_part]
    return made


@prepared.register
def _(step: Pipeline, columns: list[Column]) -> list[Column]:
    for _, part in step.steps:
        columns = _of(part, columns)
    return columns


@prepared.register
def _(step: SelectorMixin, columns: list[Column]) -> list[Column]:
    return [columns[place] for place in np.flatnonzero(step.get_support()).tolist()]


def _of(transformer: Any, columns: list[Column]) -> list[Column]:
    if isinstance(transformer, str) and transformer == "drop":
        return []
    if transformer is None or isinstance(transformer, str) or not columns:
        return columns
    return prepared(transformer, columns)
