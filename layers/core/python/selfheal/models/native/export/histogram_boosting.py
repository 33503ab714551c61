"""scikit-learn's histogram gradient boosting as data. The only module that reads its private fields."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from selfheal.errors import ExportInexact
from selfheal.models.native.export.columns import Column, Columns
from selfheal.models.native.export.exported import Exported

type Nodes = NDArray[np.void]
type Boosting = HistGradientBoostingClassifier | HistGradientBoostingRegressor

# Where a split divides missing from present values its threshold is infinite; JSON has no such number.
LARGEST = float(np.finfo(np.float64).max)


def trees(model: Boosting, columns: list[Column]) -> Exported:
    """The columns in the model's order, and its trees as the format has them, for each class apart."""
    columns = _reordered(model, columns)
    known, known_row = model._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001
    asked = Columns(columns)
    sizes = [int(column.block["size"]) if column.is_codes else 0 for column in columns]
    exported = [
        [_tree(predictor, known, known_row, sizes, asked) for predictor in of_class]
        for of_class in zip(*model._predictors, strict=True)  # noqa: SLF001
    ]
    baselines = np.ravel(model._baseline_prediction).tolist()  # noqa: SLF001
    return Exported(
        columns,
        [
            {"kind": "trees", "baseline": baseline, "trees": of_class}
            for baseline, of_class in zip(baselines, exported, strict=True)
        ],
    )


def _reordered(model: Boosting, columns: list[Column]) -> list[Column]:
    """Categorical columns first, their codes passed through the model's own encoder, as it does itself."""
    if model.is_categorical_ is None:
        return columns
    encoder = model._preprocessor.named_transformers_["encoder"]  # noqa: SLF001
    categorical = [column for column, is_category in zip(columns, model.is_categorical_, strict=True) if is_category]
    numeric = [column for column, is_category in zip(columns, model.is_categorical_, strict=True) if not is_category]
    recoded = [_recoded(column, codes) for column, codes in zip(categorical, encoder.categories_, strict=True)]
    return [*recoded, *numeric]


def _recoded(column: Column, codes: NDArray[np.float64]) -> Column:
    """The column with the model's codes; a code that the model never saw is one that it treats as missing."""
    if not column.is_codes:
        raise ExportInexact(
            "a native categorical split of a column that no OrdinalEncoder has made can't be served: encode it by one"
        )
    inner = {int(code): index for index, code in enumerate(codes) if not np.isnan(code)}
    numbers, block = column.numbers, column.block
    outer = {category: inner[int(numbers[code])] for category, code in block["codes"].items() if numbers[code] in inner}
    missing, unknown = (
        None if block[name] is None else inner.get(int(numbers[block[name]])) for name in ("missing", "unknown")
    )
    recoded = {**block, "codes": outer, "size": len(inner), "missing": missing, "unknown": unknown}
    return Column(recoded, numbers=[float(code) for code in range(len(inner))])


def _tree(predictor: Any, known: Any, known_row: Any, sizes: list[int], columns: Columns) -> dict[str, Any]:
    nodes, left_sets = predictor.nodes, predictor.raw_left_cat_bitsets
    is_leaf = nodes["is_leaf"].astype(bool)
    inner = nodes[~is_leaf]
    # Inner nodes and leaves are numbered apart, each in scikit-learn's order; leaf k is -1 - k.
    number = np.where(is_leaf, -np.cumsum(is_leaf), np.cumsum(~is_leaf) - 1)
    asked = inner["feature_idx"].tolist()
    return {
        "column": asked,
        "split": [
            _codes(left_sets[node["bitset_idx"]], known[known_row[column]], sizes[column], node["missing_go_to_left"])
            if node["is_categorical"]
            else columns.threshold(column, node["num_threshold"].__ge__, min(float(node["num_threshold"]), LARGEST))
            for node, column in zip(inner, asked, strict=True)
        ],
        "missing_left": inner["missing_go_to_left"].tolist(),
        "left": number[inner["left"]].tolist(),
        "right": number[inner["right"]].tolist(),
        "leaves": nodes["value"][is_leaf].tolist(),
        "covers": nodes["count"][is_leaf].tolist(),
    }


def _codes(left: Any, known: Any, size: int, missing_left: int) -> list[int]:
    """The codes that go left: those of the split, and those that the model doesn't know where missing ones do."""
    return [code for code in range(size) if _holds(left, code) or (missing_left and not _holds(known, code))]


def _holds(bitset: Any, code: int) -> bool:
    return bool(int(bitset[code // 32]) >> (code % 32) & 1)
