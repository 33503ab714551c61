"""QuickScorer's view of a tree (Lucchese et al., SIGIR 2015): its leaves from left to right, a bit each.

A node whose question a row answers with no rules out the leaves on its left. Of the leaves that no node rules out, the
leftmost is the row's; it is the lowest bit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from selfheal.artefact.trees import Tree


@dataclass(frozen=True, slots=True)
class Leaves:
    """`values` from left to right; `on_the_left` has for each inner node the bits of the leaves on its left."""

    values: list[float]
    on_the_left: list[int]

    @classmethod
    def of(cls, tree: "Tree") -> Self:
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
