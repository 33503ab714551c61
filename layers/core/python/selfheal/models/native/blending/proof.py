"""What a blend is proven by: rows drawn around every value at which a member bends or jumps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from selfheal.errors import ExportInexact
from selfheal.models.native import NativeModel
from selfheal.models.native.blending.members import Member
from selfheal.models.native.blending.probes import probe_columns
from selfheal.models.native.functions import expit, softmax
from selfheal.models.native.model import ClassModel, NumberModel

TOLERANCE = 1e-12
# Rows that are also evaluated one by one, as the predictor does for a single row.
SINGLE_ROWS = 300


def check(blend: NativeModel, members: Sequence[Member]) -> None:
    """Hold the blend to its members. Raises ExportInexact."""
    columns = probe_columns([member.document for member in members])
    many = blend.probabilities_of(columns)
    expected = _mean(members, columns)
    scale = max(1.0, float(np.nanmax(np.abs(expected)))) if isinstance(blend, NumberModel) else 1.0
    difference = np.abs(many - expected) / scale
    # Said so that NaN on either side counts as a difference.
    if not (difference <= TOLERANCE).all():
        worst = float(np.nan_to_num(difference, nan=np.inf).max())
        raise ExportInexact(f"the blend differs from its members' mean by {worst:.3g}; no version is written")
    rows = np.linspace(0, len(many) - 1, SINGLE_ROWS).astype(int)
    values = zip(*(columns[name][rows].tolist() for name in columns), strict=True)
    single = [blend.probabilities([dict(zip(columns, row, strict=True))])[0] for row in values]
    if single != many[rows].tolist():
        raise ExportInexact("the blend answers one row and many rows differently; no version is written")


def _mean(members: Sequence[Member], columns: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    weighted = [member.weight * member.artefact.log_odds_of(columns) for member in members]
    mean, model = np.sum(weighted, axis=0), members[0].artefact
    if isinstance(model, NumberModel):
        return np.asarray(mean)
    answer = softmax if isinstance(model, ClassModel) else expit
    return np.array([answer(scores) for scores in mean.tolist()])
