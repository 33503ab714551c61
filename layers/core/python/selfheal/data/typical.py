"""Rows as they usually are, for the API's documentation: made of quantiles and frequent values, nobody's own."""

import numpy as np
import pandas as pd

from selfheal.contract import Contract, Feature

type Row = dict[str, float | str | bool | None]

# An ordinary row, and one that is at the upper end throughout.
QUANTILES = (0.5, 0.75)


def typical_rows(features: pd.DataFrame, contract: Contract) -> tuple[Row, ...]:
    """Two rows that the contract accepts, by what these features hold; the second has the second most frequent values.

    Numbers are rounded to four digits that count where limits allow that.
    """
    return tuple(
        {name: _value(features[name].dropna(), feature, rank) for name, feature in contract.features.items()}
        for rank in range(len(QUANTILES))
    )


def _value(present: pd.Series, feature: Feature, rank: int) -> float | str | bool | None:
    if present.empty:
        return None
    if feature.type in {"category", "boolean"}:
        frequent = present.value_counts().index
        value = frequent[min(rank, len(frequent) - 1)]
        return bool(value) if feature.type == "boolean" else str(value)
    found = float(np.quantile(present.to_numpy(dtype=np.float64), QUANTILES[rank], method="inverted_cdf"))
    return int(found) if feature.type == "integer" else _rounded(found, feature)


def _rounded(value: float, feature: Feature) -> float:
    rounded = float(f"{value:.4g}")
    is_below = feature.minimum is not None and rounded < feature.minimum
    is_above = feature.maximum is not None and rounded > feature.maximum
    return value if is_below or is_above else rounded
