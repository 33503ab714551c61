"""scikit-learn's histogram gradient boosting as data. The only module that reads its private fields."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from selfheal.errors import ExportInexact
from selfheal.models.native.edges import width
from selfheal.models.native.export.columns import Columns

type Block = dict[str, Any]
type Nodes = NDArray[np.void]
type Boosting = HistGradientBoostingClassifier | HistGradientBoostingRegressor

# Where a split divides missing from present values its threshold is infinite; JSON has no such number.
LARGEST = float(np.finfo(np.float64).max)


def trees(model: Boosting, blocks: list[Block]) -> tuple[list[Block], list[dict[str, Any]]]:
    """The blocks in the model's column order, and its trees as the format has them, for each class apart."""
    blocks = _reordered(model, blocks)
    known, known_row = model._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001
    columns = Columns(blocks)
    sizes = [_size(block) for block in blocks for _ in range(width(block))]
    exported = [
        [_tree(predictor, known, known_row, sizes, columns) for predictor in of_class]
        for of_class in zip(*model._predictors, strict=True)  # noqa: SLF001
    ]
    baselines = np.ravel(model._baseline_prediction).tolist()  # noqa: SLF001
    return blocks, [
        {"kind": "trees", "baseline": baseline, "trees": of_class}
        for baseline, of_class in zip(baselines, exported, strict=True)
    ]


def _size(block: Block) -> int:
    return int(block["size"]) if block["kind"] == "ordinal" else 0


def _reordered(model: Boosting, blocks: list[Block]) -> list[Block]:
    """Categorical columns first, their codes passed through the model's own encoder, as it does itself."""
    if model.is_categorical_ is None:
        return blocks
    if len(blocks) != len(model.is_categorical_):
        raise ExportInexact("native categorical splits beside one-hot columns can't be exported: use one of the two")
    encoder = model._preprocessor.named_transformers_["encoder"]  # noqa: SLF001
    categorical = [block for block, is_category in zip(blocks, model.is_categorical_, strict=True) if is_category]
    numeric = [block for block, is_category in zip(blocks, model.is_categorical_, strict=True) if not is_category]
    recoded = [_recoded(block, codes) for block, codes in zip(categorical, encoder.categories_, strict=True)]
    return [*recoded, *numeric]


def _recoded(block: Block, codes: NDArray[np.float64]) -> Block:
    """The block with the model's codes; a code that the model never saw is one that it treats as missing."""
    inner = {int(code): index for index, code in enumerate(codes) if not np.isnan(code)}
    numbers = block["numbers"]
    outer = {category: inner[numbers[code]] for category, code in block["codes"].items() if numbers[code] in inner}
    missing, unknown = (
        None if block[name] is None else inner.get(numbers[block[name]]) for name in ("missing", "unknown")
    )
    numbers = [float(code) for code in range(len(inner))]
    return {**block, "codes": outer, "size": len(inner), "missing": missing, "unknown": unknown, "numbers": numbers}


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
