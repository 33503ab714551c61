"""Boosted trees over many rows: each tree splits the rows among its nodes, so that a row is looked at once a level."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from selfheal.artefact.trees import Split, Tree, Trees


def scores(model: "Trees", columns: Sequence[NDArray[Any]], rows: int) -> NDArray[np.float64]:
    """The score of every row, shape (rows,), with the bits of `Trees.one`."""
    columns = [*columns, *[-columns[column] for column in model.negated]]
    score = np.full(rows, model.baseline)
    leaf = np.empty(rows)
    for tree in model.trees:
        _fill_leaves(tree, columns, leaf)
        score += leaf
    return score


def _fill_leaves(tree: "Tree", columns: Sequence[NDArray[Any]], leaf: NDArray[np.float64]) -> None:
    pending = [(0 if tree.column else -1, np.arange(len(leaf)))]
    while pending:
        node, rows = pending.pop()
        if node < 0:
            leaf[rows] = tree.leaves[~node]
            continue
        goes_left = _at_most(columns[tree.column[node]][rows], tree.split[node])
        pending.append((tree.left[node], rows[goes_left]))
        pending.append((tree.right[node], rows[~goes_left]))


def _at_most(cells: NDArray[Any], split: "Split") -> NDArray[np.bool_]:
    if isinstance(split, float):
        return np.asarray(cells <= split)
    members = np.zeros(max(split, default=0) + 1, dtype=bool)
    members[list(split)] = True
    return np.asarray((cells < len(members)) & members[np.minimum(cells, len(members) - 1)])
