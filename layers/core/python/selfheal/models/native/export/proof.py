"""Export with proof: bytes are handed out only if they answer as the fitted model does."""

import warnings
from typing import Any

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.errors import ExportInexact
from selfheal.models.fitted import FittedModel
from selfheal.models.native import NativeModel, load_artefact
from selfheal.models.native.export.background import with_background
from selfheal.models.native.export.document import document
from selfheal.models.native.export.probes import probe_rows
from selfheal.tables.table import columns_of

# Rows that are also evaluated one by one, as the predictor does for a single row.
SINGLE_ROWS = 300
# No power that people use of a number up to this one is infinite.
ORDINARY_NUMBER = 1e12


def export(model: FittedModel, features: pd.DataFrame, contract: Contract, *, seed: int = 0) -> bytes:
    """The bytes of `model.json`; `features` are rows like those that it was trained on.

    Raises:
        ExportInexact: an answer differs from scikit-learn's by more than 1e-12 (1e-6 where a library computes in
            float32; of a number: relative to the largest) on a probe row, or one row and
            many rows don't have the same bits.
    """
    exported = with_background(document(model, contract), features)
    payload = orjson.dumps(exported)
    probes, expected = _answered(model, probe_rows(exported, features, contract, seed), contract)
    _check(load_artefact(payload), model, probes, expected)
    return payload


def _answered(model: FittedModel, probes: pd.DataFrame, contract: Contract) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """The probes that the libraries take, and what they say of them.

    Some take no missing values, or no numbers beyond what the contract lets in, or none so large that a power of them
    is infinite: the first of these sets of probes that they take is the one that counts.
    """
    probes = _within(probes, contract, -model.largest_number, model.largest_number)
    let_in = probes[_let_in(probes, contract)].reset_index(drop=True)
    for tried in (probes, let_in, _within(let_in, contract, -ORDINARY_NUMBER, ORDINARY_NUMBER)):
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                # Probes are hard on purpose: what libraries warn of is no news.
                warnings.simplefilter("ignore")
                return tried, model.probabilities(tried)
        except ValueError as error:
            said = str(error).splitlines()[0][:200]
    raise ExportInexact(
        f"the pipeline itself fails on rows that the contract lets in ({said}): let it take missing and unseen values "
        "(an imputer, handle_unknown), or say `minimum`, `maximum` and `nullable = false` where there are none"
    )


def _within(probes: pd.DataFrame, contract: Contract, low: float, high: float) -> pd.DataFrame:
    numbers = probes[list(contract.numeric_features)]
    return probes[~((numbers < low) | (numbers > high)).any(axis=1)].reset_index(drop=True)


def _let_in(probes: pd.DataFrame, contract: Contract) -> NDArray[np.bool_]:
    """Which rows the contract's own limits let in."""
    let_in = np.ones(len(probes), dtype=bool)
    for name, feature in contract.features.items():
        values = probes[name]
        if not feature.nullable:
            let_in &= values.notna().to_numpy()
        if not feature.is_category and feature.minimum is not None:
            let_in &= ~(values < feature.minimum).to_numpy()
        if not feature.is_category and feature.maximum is not None:
            let_in &= ~(values > feature.maximum).to_numpy()
    return let_in


def _check(artefact: NativeModel, model: FittedModel, probes: pd.DataFrame, expected: NDArray[np.float64]) -> None:
    many = artefact.probabilities_of(columns_of(probes))
    difference = np.abs(many - expected) / (max(1.0, float(np.abs(expected).max())) if model.link == "identity" else 1)
    # Said so that NaN on either side counts as a difference.
    if not (difference <= model.tolerance).all():
        worst = float(np.nan_to_num(difference, nan=np.inf).max())
        raise ExportInexact(f"the exported model differs from the fitted one by {worst:.3g}; no version is written")
    rows = np.linspace(0, len(probes) - 1, min(len(probes), SINGLE_ROWS)).astype(int)
    records: list[dict[Any, Any]] = probes.iloc[rows].to_dict("records")
    single = [artefact.probabilities([row])[0] for row in records]
    if single != many[rows].tolist():
        raise ExportInexact("the exported model answers one row and many rows differently; no version is written")
