"""One tree of a model's file: five lists over its inner nodes, parents before children, and its leaves' values.

`column`; `split`, a threshold or the list of codes that go left; `missing_left`, 1 where a missing value goes left;
`left` and `right`, an inner node, or -1 - k for leaf k. A value up to and including the threshold goes left. Node 0 is
the root; a tree without inner nodes is its one leaf. `covers`, which may be absent, is how many rows (or how much of
their weight) the fit had in each leaf. Answers don't need it, reasons for them do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from selfheal.models.native import checks

type Split = float | frozenset[int]
KEYS = {"column", "split", "missing_left", "left", "right", "leaves"}
MOST_LEAVES = 65_536


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree as the file has it, found sound."""

    column: list[int]
    split: list[Split]
    missing_left: list[int]
    left: list[int]
    right: list[int]
    leaves: list[float]
    covers: list[float] | None = None


def parse_tree(raw: Any, path: str, columns: Sequence[int]) -> Tree:
    """From the file; `columns` holds for each column the number of its codes. Raises ArtefactRefused."""
    found = checks.table(raw, path, KEYS, {"covers"})
    column = checks.integers(found["column"], f"{path}.column", 0, len(columns))
    nodes = len(column)
    leaves = checks.numbers(found["leaves"], f"{path}.leaves")
    if len(leaves) > MOST_LEAVES:
        raise checks.refuse(f"{path}.leaves", f"has more than {MOST_LEAVES} items")
    missing_left = checks.integers(found["missing_left"], f"{path}.missing_left", 0, 2)
    left = checks.integers(found["left"], f"{path}.left", -len(leaves), nodes)
    right = checks.integers(found["right"], f"{path}.right", -len(leaves), nodes)
    split = checks.items(found["split"], f"{path}.split")
    for name, values in (("missing_left", missing_left), ("left", left), ("right", right), ("split", split)):
        checks.of_length(values, f"{path}.{name}", nodes)
    _refuse_loops(path, left, right, len(leaves))
    splits = [_parse_split(item, f"{path}.split.{node}", columns[column[node]]) for node, item in enumerate(split)]
    return Tree(column, splits, missing_left, left, right, leaves, _parse_covers(found, path))


def _parse_covers(found: dict[str, Any], path: str) -> list[float] | None:
    if "covers" not in found:
        return None
    covers = checks.numbers(found["covers"], f"{path}.covers")
    checks.of_length(covers, f"{path}.covers", len(found["leaves"]))
    if min(covers) <= 0:
        raise checks.refuse(f"{path}.covers", "not all above 0")
    return covers


def _parse_split(raw: Any, path: str, codes: int) -> Split:
    # The last code stands for missing and unknown values, whose way is `missing_left`.
    return frozenset(checks.integers(raw, path, 0, codes - 1)) if codes else checks.number(raw, path)


def _refuse_loops(path: str, left: list[int], right: list[int], leaves: int) -> None:
    """Every child lies below its parent and has no other one, so that evaluation ends and reaches each leaf."""
    for node, children in enumerate(zip(left, right, strict=True)):
        for child in children:
            if 0 <= child <= node:
                raise checks.refuse(path, f"node {node} points back to node {child}")
    if sorted([*left, *right, *([] if left else [-1])]) != [*range(-leaves, 0), *range(1, len(left))]:
        raise checks.refuse(path, "a node or leaf doesn't have exactly one parent")
