"""Large requests checked column by column in numpy, several times faster than row by row.

It accepts only what it is sure of. What it doesn't accept isn't refused: the row model looks at it again, decides, and
names the faults.
"""

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson

from selfheal.contract.model import Contract, Feature
from selfheal.rows import is_blank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    # By feature, shape (n,): float64, missing is NaN; or object, str, missing is None.
    type Columns = dict[str, NDArray[Any]]

NOTHING = type(None)
TYPES: dict[str, set[type]] = {"number": {int, float}, "integer": {int, float}, "category": {str}, "boolean": {bool}}


class ColumnModel:
    """Checks many rows against one contract."""

    def __init__(self, contract: Contract) -> None:
        self._features = contract.features
        self._name_of = accepted_names(contract)

    def parse(self, body: bytes, maximum_rows: int) -> "tuple[list[dict[str, Any]], Columns] | None":
        """The rows under the contract's names, and the same as columns; None where it isn't sure."""
        try:
            rows = self._rows(orjson.loads(body), maximum_rows)
            return rows, {name: _column(_cells(rows, name), feature) for name, feature in self._features.items()}
        except (orjson.JSONDecodeError, LookupError, TypeError, ValueError, OverflowError):
            return None

    def _rows(self, request: Any, maximum_rows: int) -> list[dict[str, Any]]:
        """As many rows as are allowed, each with as many names as there are features."""
        rows: list[dict[str, Any]] = request["rows"]
        fits = len(request) == 1 and len(rows) <= maximum_rows
        if not fits or {*map(type, rows)} != {dict} or {*map(len, rows)} != {len(self._features)}:
            raise ValueError
        if rows[0].keys() == self._features.keys():
            return rows
        return [{self._name_of[sent]: value for sent, value in row.items()} for row in rows]


def accepted_names(contract: Contract) -> dict[str, str]:
    """Every name that a request may use for a feature, and the feature's own."""
    return {accepted: name for name, feature in contract.features.items() for accepted in (name, *feature.aliases)}


def _cells(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return list(map(itemgetter(name), rows))


def _column(cells: list[Any], feature: Feature) -> "NDArray[Any]":
    """The cells as they are evaluated; raises ValueError or OverflowError where one isn't surely valid."""
    import numpy as np  # nothing smaller than a large request comes here

    present = set(map(type, cells))
    if not present <= (TYPES[feature.type] | {NOTHING} if feature.nullable else TYPES[feature.type]):
        raise ValueError
    if feature.is_category:
        distinct = {*cells} - {None}
        if any(map(is_blank, distinct)) or (feature.categories is not None and not distinct <= {*feature.categories}):
            raise ValueError
        return np.array(cells, dtype=object)
    column = np.array(cells, dtype=np.float64)
    if NOTHING not in present and not np.isfinite(column).all():
        raise ValueError
    # Missing values compare as false: a check must ask for what is wrong.
    wrong = (column < _or(feature.minimum, -np.inf)) | (column > _or(feature.maximum, np.inf)) | np.isinf(column)
    if feature.type == "integer":
        wrong |= np.floor(column) < column
    if wrong.any():
        raise ValueError
    return column


def _or(limit: float | None, otherwise: float) -> float:
    return otherwise if limit is None else limit
