"""Boosted trees and forests: one tree as the file has it, and three ways to evaluate many.

`few_rows` in plain Python and `many_rows` in numpy by masks (`lanes`), `large` where trees have more leaves than a mask
has bits; all give the same bits. `forest` chooses.
"""

from selfheal.models.native.trees.forest import Forests, Trees
from selfheal.models.native.trees.tree import Tree

__all__ = ["Forests", "Tree", "Trees"]
