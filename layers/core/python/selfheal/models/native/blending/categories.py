"""Categories' effects, added up: what a linear estimator adds for a category is one number, whoever encodes it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from selfheal.models.native.blending.members import Column, Term
from selfheal.models.native.blocks import LARGEST_SIZE


def with_joined_categories(terms: Sequence[Term]) -> list[Term]:
    """The same sum with one one-hot block for each categorical feature."""
    of_features: dict[int, list[Term]] = {}
    others = []
    for term in terms:
        block = term[0].block
        if block["kind"] == "one_hot":
            of_features.setdefault(block["feature"], []).append(term)
        else:
            others.append(term)
    return [*others, *(term for feature, of_feature in of_features.items() for term in _joined(feature, of_feature))]


def _joined(feature: int, terms: Sequence[Term]) -> Sequence[Term]:
    blocks = {column.key: column.block for column, _ in terms}
    known = list(dict.fromkeys(category for block in blocks.values() for category in block["codes"]))
    # Two columns more, for a missing and an unseen category.
    size = len(known) + 2
    if len(blocks) == 1 or size >= LARGEST_SIZE:
        return terms
    codes = {category: code for code, category in enumerate(known)}
    block = {
        "kind": "one_hot",
        "feature": feature,
        "codes": codes,
        "size": size,
        "missing": size - 2,
        "unknown": size - 1,
    }
    effects = _Effects(terms, blocks)
    coefficients = [*map(effects.of, known), effects.special("missing"), effects.special("unknown")]
    return list(zip(Column.all_of(block), coefficients, strict=True))


class _Effects:
    """What the estimators add for a category; a block adds nothing for a code that it doesn't have."""

    def __init__(self, terms: Sequence[Term], blocks: Mapping[bytes, dict[str, Any]]) -> None:
        self._coefficients: dict[bytes, dict[int, list[float]]] = {key: {} for key in blocks}
        self._blocks = blocks
        for column, coefficient in terms:
            self._coefficients[column.key].setdefault(column.offset, []).append(coefficient)

    def of(self, category: str) -> float:
        """The sum for one category."""
        return self._sum(block["codes"].get(category, block["unknown"]) for block in self._blocks.values())

    def special(self, name: str) -> float:
        """The sum for what is missing or unknown to all."""
        return self._sum(block[name] for block in self._blocks.values())

    def _sum(self, codes: Iterable[int | None]) -> float:
        pairs = zip(self._coefficients.values(), codes, strict=True)
        return math.fsum(value for of_block, code in pairs if code is not None for value in of_block.get(code, ()))
