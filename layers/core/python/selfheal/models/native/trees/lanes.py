"""QuickScorer's view of trees (Lucchese et al., SIGIR 2015): their leaves from left to right, a bit each.

A node whose question a row answers with no rules out the leaves on its left. Of the leaves that no node rules out, the
leftmost is the row's; it is the lowest bit. Several trees share a number, each with a lane of its bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from selfheal.models.native.trees.tree import Tree

# How many bits a lane may have.
LANES = (8, 16, 32, 64)

# A question: its split, 1 where a missing value goes left, and the bits that a no rules out, in the tree's lane.
type Node = tuple[Any, int, int]


@dataclass(frozen=True, slots=True)
class Leaves:
    """`values` from left to right; `on_the_left` has for each inner node the bits of the leaves on its left."""

    values: list[float]
    on_the_left: list[int]

    @classmethod
    def of(cls, tree: Tree) -> Self:
        """The leaves of a sound tree."""
        children = list(zip(tree.left, tree.right, strict=True))
        # How many leaves are below a node; 1 for a leaf itself.
        below = [1] * len(children)
        for node in range(len(children) - 1, -1, -1):
            left, right = children[node]
            below[node] = (below[left] if left >= 0 else 1) + (below[right] if right >= 0 else 1)
        values, first, masks = tree.leaves[:], [0] * len(children), []
        for node, (left, right) in enumerate(children):
            start = first[node]
            middle = start + (below[left] if left >= 0 else 1)
            masks.append((1 << middle) - (1 << start))
            if left >= 0:
                first[left] = start
            else:
                values[start] = tree.leaves[~left]
            if right >= 0:
                first[right] = middle
            else:
                values[middle] = tree.leaves[~right]
        return cls(values, masks)


def lane_bits(trees: Sequence[Tree]) -> int:
    """The narrowest lane that has a bit for each leaf of any of the trees."""
    return min(bits for bits in LANES if all(len(tree.leaves) <= bits for tree in trees))


def nodes_by_column(trees: Sequence[Tree], leaves: Sequence[Leaves], lane: int) -> dict[int, list[Node]]:
    """The nodes that ask about each column; the first tree has the lowest lane."""
    nodes: dict[int, list[Node]] = {}
    for number, (tree, of_tree) in enumerate(zip(trees, leaves, strict=True)):
        shift = lane * number
        asked = zip(tree.column, tree.split, tree.missing_left, of_tree.on_the_left, strict=True)
        for column, split, missing_left, mask in asked:
            nodes.setdefault(column, []).append((split, missing_left, mask << shift))
    return nodes
