"""A fitted model as data: the document behind `model.json` (see `selfheal.models.native` for its format)."""

from functools import singledispatch
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    StandardScaler,
)

from selfheal.contract import Contract
from selfheal.errors import ExportInexact
from selfheal.models.fitted import UNSEEN_CLASS, FittedModel
from selfheal.models.native import FORMAT, FORMAT_VERSION
from selfheal.models.native.edges import UNSEEN, width
from selfheal.models.native.export.histogram_boosting import Boosting, trees
from selfheal.models.native.export.libraries import outputs_of

# What only exporters read of a block.
FOR_EXPORTERS = {"name", "numbers"}

type Block = dict[str, Any]
type Estimator = dict[str, Any]
# The blocks that an estimator reads, and an estimator for each class that it tells apart; mostly one.
type Exported = tuple[list[Block], list[Estimator]]


def document(model: FittedModel, contract: Contract) -> dict[str, Any]:
    """The document of a fitted model. Raises ExportInexact for a part that the format has no words for."""
    exported = [_exported(member.pipeline, contract, model.classes) for member in model.members]
    calibration, link = model.calibration, {} if model.link == "expit" else {"link": model.link}
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "features": [
            {"name": name, "kind": "category" if feature.is_category else "number"}
            for name, feature in contract.features.items()
        ],
        "blocks": [block for blocks, _ in exported for block in blocks],
        "estimator": _combined(model, exported),
        "calibration": None
        if calibration.is_identity
        else {"slope": calibration.slope, "intercept": calibration.intercept},
        "threshold": model.threshold if model.link == "expit" else None,
        **link,
    }


def _exported(pipeline: Pipeline, contract: Contract, classes: int) -> Exported:
    *preparation, estimator = (step for _, step in pipeline.steps)
    blocks: list[Block] = [
        {"feature": index, "name": name, "steps": []} for index, name in enumerate(contract.features)
    ]
    for step in preparation:
        blocks = _transformed(step, blocks)
    blocks, exported = _estimator(estimator, blocks)
    if classes > 1:
        exported = _by_class(exported, estimator.classes_.tolist(), classes)
    return [{key: value for key, value in block.items() if key not in FOR_EXPORTERS} for block in blocks], exported


def _by_class(estimators: list[Estimator], seen: list[int], classes: int) -> list[Estimator]:
    """An estimator for each class; of two classes the first one's score is 0, and one that was never seen has none."""
    if len(estimators) == 1:
        estimators = [_constant(estimators[0], 0.0), estimators[0]]
    known = dict(zip(seen, estimators, strict=True))
    return [known.get(code, _constant(estimators[0], UNSEEN_CLASS)) for code in range(classes)]


def _constant(like: Estimator, score: float) -> Estimator:
    """The same score for every row, by an estimator of the same columns."""
    if like["kind"] == "linear":
        return {**like, "intercept": score, "coefficients": [0.0] * len(like["coefficients"])}
    return {"kind": "trees", "baseline": score, "trees": []}


def _combined(model: FittedModel, exported: list[Exported]) -> Estimator:
    outputs = [_summed(model, exported, output) for output in range(model.classes)]
    return outputs[0] if model.classes == 1 else {"kind": "outputs", "outputs": outputs}


def _summed(model: FittedModel, exported: list[Exported], output: int) -> Estimator:
    if len(exported) == 1 and model.members[0].weight == 1:
        return exported[0][1][output]
    parts = [
        {"weight": member.weight, "columns": sum(map(width, blocks)), "estimator": estimators[output]}
        for member, (blocks, estimators) in zip(model.members, exported, strict=True)
    ]
    return {"kind": "sum", "parts": parts}


def _then(block: Block, **step: Any) -> Block:
    """The block of a number with one more step."""
    return {**block, "kind": "number", "steps": [*block["steps"], step]}


@singledispatch
def _transformed(step: Any, _blocks: list[Block]) -> list[Block]:
    """The blocks after one part of a pipeline."""
    raise ExportInexact(f"model.json has no words for {type(step).__name__}: leave it out of the pipeline")


@_transformed.register
def _(step: ColumnTransformer, blocks: list[Block]) -> list[Block]:
    named = {block["name"]: block for block in blocks}
    result: list[Block] = []
    for _, transformer, columns in step.transformers_:
        if transformer != "drop" and len(columns):
            result.extend(_transformed(transformer, [named[column] for column in columns]))
    return result


@_transformed.register
def _(step: Pipeline, blocks: list[Block]) -> list[Block]:
    for _, part in step.steps:
        blocks = _transformed(part, blocks)
    return blocks


@_transformed.register
def _(step: FunctionTransformer, blocks: list[Block]) -> list[Block]:
    # What a column transformer makes of "passthrough".
    if step.func is not None:
        raise ExportInexact("model.json has no words for a function of one's own: leave it out of the pipeline")
    return [{**block, "kind": "number"} for block in blocks]


@_transformed.register
def _(step: SimpleImputer, blocks: list[Block]) -> list[Block]:
    imputed = [
        _then(block, kind="impute", value=float(value)) for block, value in zip(blocks, step.statistics_, strict=True)
    ]
    return imputed if step.indicator_ is None else [*imputed, *_transformed(step.indicator_, blocks)]


@_transformed.register
def _(step: MissingIndicator, blocks: list[Block]) -> list[Block]:
    return [_then(blocks[index], kind="missing") for index in step.features_]


@_transformed.register
def _(step: StandardScaler, blocks: list[Block]) -> list[Block]:
    # The mean is known even where it isn't subtracted.
    means = step.mean_ if step.with_mean else np.zeros(len(blocks))
    scales = step.scale_ if step.with_std else np.ones(len(blocks))
    return [
        _then(block, kind="standardise", mean=float(mean), scale=float(scale))
        for block, mean, scale in zip(blocks, means, scales, strict=True)
    ]


@_transformed.register
def _(step: QuantileTransformer, blocks: list[Block]) -> list[Block]:
    return [
        _then(block, kind="quantile", **_knots(step.quantiles_[:, column], step.references_))
        for column, block in enumerate(blocks)
    ]


def _knots(quantiles: Any, references: Any) -> dict[str, list[float]]:
    """scikit-learn's two interpolations, forth and back, as one: they differ only on repeated quantiles."""
    knots, first = np.unique(quantiles, return_index=True)
    last = np.append(first[1:], len(quantiles)) - 1
    before, after = references[first], references[last]
    at = 0.5 * (before + after)
    at[-1], at[0] = 1.0, 0.0
    return {"knots": knots.tolist(), "at": at.tolist(), "before": before.tolist(), "after": after.tolist()}


@_transformed.register
def _(step: OneHotEncoder, blocks: list[Block]) -> list[Block]:
    return [_one_hot(block, step, column) for column, block in enumerate(blocks)]


def _one_hot(block: Block, encoder: OneHotEncoder, column: int) -> Block:
    """Frequent categories in scikit-learn's order, then one column that all infrequent ones share."""
    groups = getattr(encoder, "infrequent_categories_", [None] * len(encoder.categories_))
    rare = [] if groups[column] is None else [None if pd.isna(category) else category for category in groups[column]]
    known = [None if pd.isna(category) else category for category in encoder.categories_[column]]
    frequent = [category for category in known if category not in rare]
    codes = {category: code for code, category in enumerate(frequent)} | dict.fromkeys(rare, len(frequent))
    unknown = len(frequent) if rare and encoder.handle_unknown == "infrequent_if_exist" else None
    return {
        "kind": "one_hot",
        "feature": block["feature"],
        # A missing category that training has seen is one like others; else it is unseen like others.
        "missing": codes.pop(None, unknown),
        "codes": codes,
        "size": len(frequent) + bool(rare),
        "unknown": unknown,
    }


@_transformed.register
def _(step: OrdinalEncoder, blocks: list[Block]) -> list[Block]:
    return [_ordinal(block, step, column) for column, block in enumerate(blocks)]


def _ordinal(block: Block, encoder: OrdinalEncoder, column: int) -> Block:
    """The codes that the encoder itself answers: that of missing values depends on there being infrequent ones."""
    asked = [*(category for category in encoder.categories_[column] if not pd.isna(category)), None, UNSEEN]
    table = pd.DataFrame(
        {
            name: pd.Series(asked if index == column else [encoder.categories_[index][0]] * len(asked), dtype=object)
            for index, name in enumerate(encoder.feature_names_in_)
        }
    )
    numbers = [None if np.isnan(number) else float(number) for number in encoder.transform(table)[:, column]]
    found = sorted({number for number in numbers if number is not None})
    # Mostly the numbers are codes already; an encoder may as well say -1 of what it hasn't seen.
    are_codes = all(number >= 0 and number.is_integer() for number in found)
    code_of = {number: int(number) if are_codes else code for code, number in enumerate(found)}
    *known, missing, unknown = (None if number is None else code_of[number] for number in numbers)
    size = 1 + max(code_of.values(), default=-1)
    return {
        "kind": "ordinal",
        "feature": block["feature"],
        "codes": {category: code for category, code in zip(asked[:-2], known, strict=True) if code is not None},
        "size": size,
        "missing": missing,
        "unknown": unknown,
        "numbers": [float(code) for code in range(size)] if are_codes else found,
    }


@singledispatch
def _estimator(estimator: Any, blocks: list[Block]) -> Exported:
    """The blocks in the estimator's order, and the estimator. Raises ExportInexact."""
    return blocks, outputs_of(estimator, blocks)


@_estimator.register
def _(estimator: LogisticRegression, blocks: list[Block]) -> Exported:
    return blocks, [
        {"kind": "linear", "intercept": float(intercept), "coefficients": coefficients.tolist()}
        for intercept, coefficients in zip(estimator.intercept_, estimator.coef_, strict=True)
    ]


@_estimator.register(HistGradientBoostingClassifier)
@_estimator.register(HistGradientBoostingRegressor)
def _(estimator: Boosting, blocks: list[Block]) -> Exported:
    return trees(estimator, blocks)
