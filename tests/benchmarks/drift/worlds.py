"""Where benchmark rows come from: real applicants drawn without replacement, the generator, correlated normals."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from selfheal.contract import Contract, default_contract, parse_contract
from selfheal_tools.simulation.credit import credit_rows

GMSC = Path(__file__).parents[4] / "shared" / "data" / "gmsc" / "cs-training.csv.gz"
CREDIT = default_contract()
NORMAL_FEATURES = 10
CORRELATION = 0.3

type World = Callable[[np.random.Generator, int], pd.DataFrame]


@cache
def _gmsc() -> pd.DataFrame:
    return pd.read_csv(GMSC)[list(CREDIT.feature_names)].astype(np.float64)


def gmsc_rows(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    frame = _gmsc()
    return frame.iloc[rng.choice(len(frame), rows, replace=False)].reset_index(drop=True)


def generated_rows(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    return credit_rows(rng, rows)[0]


def normal_contract() -> Contract:
    features = "".join(f'[features.f{i}]\ntype = "number"\n' for i in range(NORMAL_FEATURES))
    return parse_contract(f'[model]\nname = "normal"\ntarget = "y"\n{features}')


def normal_rows(rng: np.random.Generator, rows: int, correlation: float = CORRELATION) -> pd.DataFrame:
    shared = rng.standard_normal((rows, 1))
    own = rng.standard_normal((rows, NORMAL_FEATURES))
    values = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    return pd.DataFrame(values, columns=[f"f{i}" for i in range(NORMAL_FEATURES)])


def worlds() -> dict[str, World]:
    """Those that are at hand."""
    found: dict[str, World] = {"generator": generated_rows}
    return {"gmsc": gmsc_rows, **found} if GMSC.exists() else found
