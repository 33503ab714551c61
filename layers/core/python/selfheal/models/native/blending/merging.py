"""The document of a blend: one forest of all members' trees, and one linear estimator of all their coefficients.

The members' weights and calibrations are multiplied into leaves and coefficients, and what members have in common is
there once: that makes a blend of three little slower than one of them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from selfheal.models.native import FORMAT, FORMAT_VERSION
from selfheal.models.native.blending.categories import with_joined_categories
from selfheal.models.native.blending.curves import with_joined_curves
from selfheal.models.native.blending.members import Column, Member, Part
from selfheal.models.native.edges import width

type Document = dict[str, Any]


def merged(members: Sequence[Member]) -> Document:
    """The document but for its threshold; a single member's is its own, so that its bits don't change."""
    if len(members) == 1:
        return members[0].document
    if members[0].outputs > 1:
        are_apart = all("outputs" in member.document["estimator"] for member in members)
        return (_stacked if are_apart else _layered)(members)
    parts = [part for member in members for part in member.parts]
    layouts, estimators = [], []
    for kind, joined in JOINED.items():
        of_kind = [part for part in parts if part.estimator["kind"] == kind]
        if of_kind:
            layouts.append(_Layout())
            estimators.append(joined(of_kind, layouts[-1]))
    apart = [part for part in parts if part.estimator["kind"] not in JOINED]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "features": members[0].document["features"],
        "blocks": [block for layout in layouts for block in layout.blocks] + [b for part in apart for b in part.blocks],
        "estimator": _summed(layouts, estimators, apart),
        "calibration": {"slope": 1.0, "intercept": math.fsum(member.intercept for member in members)},
        **members[0].link,
    }


def _stacked(members: Sequence[Member]) -> Document:
    """Of several classes: the members' columns beside each other, and of each class the sum of their estimators."""
    outputs = [
        {"kind": "sum", "parts": [part for member in members for part in member.parts_of(output)]}
        for output in range(members[0].outputs)
    ]
    return _of_classes(members, {"kind": "outputs", "outputs": outputs})


def _of_classes(members: Sequence[Member], estimator: Document) -> Document:
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "features": members[0].document["features"],
        "blocks": [block for member in members for block in member.document["blocks"]],
        "estimator": estimator,
        "calibration": None,
        **members[0].link,
    }


def _layered(members: Sequence[Member]) -> Document:
    """The same where a member makes all its scores at once: these beside each other, then the sum for each class."""
    outputs, parts, first = members[0].outputs, [], 0
    for member in members:
        columns = sum(width(block) for block in member.document["blocks"])
        parts.append({"columns": list(range(first, first + columns)), "estimator": member.document["estimator"]})
        first += columns
    weights = [member.weight * member.artefact.slope for member in members]
    sums = [
        {
            "columns": list(range(output, outputs * len(members), outputs)),
            "estimator": {"kind": "linear", "intercept": 0.0, "coefficients": weights},
        }
        for output in range(outputs)
    ]
    layers = [{"kind": "estimators", "estimators": each, "keeps": []} for each in (parts, sums)]
    return _of_classes(members, {"kind": "layers", "layers": layers})


@dataclass
class _Layout:
    """The blocks of one estimator, equal ones once."""

    blocks: list[Document] = field(default_factory=list)
    columns: int = 0
    _first: dict[bytes, int] = field(default_factory=dict)

    def place(self, column: Column) -> int:
        """Where the column is found; its block is added where it isn't there yet."""
        if column.key not in self._first:
            self._first[column.key] = self.columns
            self.blocks.append(column.block)
            self.columns += len(Column.all_of(column.block))
        return self._first[column.key] + column.offset


def _forest(parts: Sequence[Part], layout: _Layout) -> Document:
    trees = []
    for part in parts:
        places = [layout.place(column) for column in part.columns]
        trees += [
            {
                **tree,
                "column": [places[column] for column in tree["column"]],
                "leaves": [part.weight * leaf for leaf in tree["leaves"]],
            }
            for tree in part.estimator["trees"]
        ]
    baseline = math.fsum(part.weight * part.estimator["baseline"] for part in parts)
    return {"kind": "trees", "baseline": baseline, "trees": trees}


def _linear(parts: Sequence[Part], layout: _Layout) -> Document:
    terms = [
        (column, part.weight * coefficient)
        for part in parts
        for column, coefficient in zip(part.columns, part.estimator["coefficients"], strict=True)
    ]
    coefficients: dict[int, list[float]] = {}
    for column, coefficient in with_joined_categories(with_joined_curves(terms)):
        coefficients.setdefault(layout.place(column), []).append(coefficient)
    estimator = {
        "kind": "linear",
        "intercept": math.fsum(part.weight * part.estimator["intercept"] for part in parts),
        "coefficients": [math.fsum(coefficients.get(place, ())) for place in range(layout.columns)],
    }
    return estimator | _expected(parts, layout)


def _expected(parts: Sequence[Part], layout: _Layout) -> Document:
    """What each feature adds on average, said at its first column: a mean of sums, so that it is a sum of means."""
    if any("expected" not in part.estimator for part in parts):
        return {}
    of_features: dict[int, list[float]] = {}
    for part in parts:
        for column, expected in zip(part.columns, part.estimator["expected"], strict=True):
            of_features.setdefault(column.block["feature"], []).append(part.weight * expected)
    said, expected = set[int](), []
    for block in layout.blocks:
        is_first, feature = block["feature"] not in said, block["feature"]
        expected += [math.fsum(of_features[feature]) if is_first else 0.0, *([0.0] * (width(block) - 1))]
        said.add(feature)
    return {"expected": expected}


JOINED: dict[str, Callable[[Sequence[Part], _Layout], Document]] = {"trees": _forest, "linear": _linear}


def _summed(layouts: Sequence[_Layout], estimators: Sequence[Document], apart: Sequence[Part]) -> Document:
    """What could be joined, and beside it what has a score of its own making, as forests of shares."""
    if len(estimators) == 1 and not apart:
        return estimators[0]
    parts = [
        {"weight": 1.0, "columns": layout.columns, "estimator": estimator}
        for layout, estimator in zip(layouts, estimators, strict=True)
    ]
    parts += [{"weight": part.weight, "columns": len(part.columns), "estimator": part.estimator} for part in apart]
    return {"kind": "sum", "parts": parts}
