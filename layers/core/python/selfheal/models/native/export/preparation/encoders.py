"""Categories as columns of numbers or codes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from selfheal.errors import ExportInexact
from selfheal.models.native.edges import UNSEEN, width
from selfheal.models.native.export.columns import Block, Column
from selfheal.models.native.export.preparation.prepared import prepared


def _categories(columns: Sequence[Column], step: Any) -> Sequence[Column]:
    if all(column.is_category for column in columns):
        return columns
    raise ExportInexact(
        f"{type(step).__name__} of numbers can't be served: declare the feature as a category, or use KBinsDiscretizer"
    )


def _with_fill(block: Block, column: Column, values: str) -> Block:
    """What an imputer before the encoder has put in the place of a missing category."""
    fill = column.block["fill"]
    return block if fill is None else {**block, "missing": block[values].get(fill, block["unknown"])}


@prepared.register
def _(step: OneHotEncoder, columns: list[Column]) -> list[Column]:
    made: list[Column] = []
    for place, column in enumerate(_categories(columns, step)):
        block = _with_fill(_one_hot(column, step, place), column, "codes")
        dropped = None if step.drop_idx_ is None else step.drop_idx_[place]
        made += [Column(block, number) for number in range(width(block)) if number != dropped]
    return made


def _one_hot(column: Column, encoder: OneHotEncoder, place: int) -> Block:
    """Frequent categories in scikit-learn's order, then one column that all infrequent ones share."""
    groups = getattr(encoder, "infrequent_categories_", [None] * len(encoder.categories_))
    rare = [] if groups[place] is None else [None if pd.isna(category) else category for category in groups[place]]
    known = [None if pd.isna(category) else category for category in encoder.categories_[place]]
    frequent = [category for category in known if category not in rare]
    codes = {category: code for code, category in enumerate(frequent)} | dict.fromkeys(rare, len(frequent))
    unknown = len(frequent) if rare and encoder.handle_unknown == "infrequent_if_exist" else None
    return {
        "kind": "one_hot",
        "feature": column.block["feature"],
        # A missing category that training has seen is one like others; else it is unseen like others.
        "missing": codes.pop(None, unknown),
        "codes": codes,
        "size": len(frequent) + bool(rare),
        "unknown": unknown,
    }


@prepared.register
def _(step: OrdinalEncoder, columns: list[Column]) -> list[Column]:
    return [_ordinal(column, step, place) for place, column in enumerate(_categories(columns, step))]


def _ordinal(column: Column, encoder: OrdinalEncoder, place: int) -> Column:
    """The codes that the encoder itself answers: that of missing values depends on there being infrequent ones."""
    asked = [*(category for category in encoder.categories_[place] if not pd.isna(category)), None, UNSEEN]
    numbers = [None if np.isnan(number) else float(number) for number in _answered(encoder, asked, place)]
    found = sorted({number for number in numbers if number is not None})
    # Mostly the numbers are codes already; an encoder may as well say -1 of what it hasn't seen.
    are_codes = all(number >= 0 and number.is_integer() for number in found)
    code_of = {number: int(number) if are_codes else code for code, number in enumerate(found)}
    *known, missing, unknown = (None if number is None else code_of[number] for number in numbers)
    size = 1 + max(code_of.values(), default=-1)
    block = {
        "kind": "ordinal",
        "feature": column.block["feature"],
        "codes": {category: code for category, code in zip(asked[:-2], known, strict=True) if code is not None},
        "size": size,
        "missing": missing,
        "unknown": unknown,
    }
    standing_for = [float(code) for code in range(size)] if are_codes else found
    return Column(_with_fill(block, column, "codes"), numbers=standing_for)


def _answered(encoder: Any, asked: list[Any], place: int) -> Any:
    """What an encoder answers for these categories of one of its features."""
    columns = [
        pd.Series(asked if index == place else [known[0]] * len(asked), dtype=object)
        for index, known in enumerate(encoder.categories_)
    ]
    table = pd.concat(columns, axis=1)
    names = getattr(encoder, "feature_names_in_", None)
    try:
        answers = encoder.transform(table.to_numpy() if names is None else table.set_axis(names, axis=1))
    except ValueError as error:
        raise ExportInexact(
            f"{type(encoder).__name__} fails on categories that training hasn't seen: set "
            "handle_unknown='use_encoded_value' and unknown_value"
        ) from error
    return np.asarray(answers, dtype=np.float64)[:, place]


@prepared.register
def _(step: TargetEncoder, columns: list[Column]) -> list[Column]:
    several = len(step.classes_) if step.target_type_ == "multiclass" else 1
    means = np.ravel(step.target_mean_)
    return [
        _target(column, step.categories_[place], step.encodings_[place * several + number], float(means[number]))
        for place, column in enumerate(_categories(columns, step))
        for number in range(several)
    ]


def _target(column: Column, categories: Any, encodings: Any, mean: float) -> Column:
    numbers = {
        None if pd.isna(category) else category: float(encoding)
        for category, encoding in zip(categories, encodings, strict=True)
    }
    block = {
        "kind": "look_up",
        "feature": column.block["feature"],
        "missing": numbers.pop(None, mean),
        "numbers": numbers,
        "unknown": mean,
    }
    return Column(_with_fill(block, column, "numbers"))
