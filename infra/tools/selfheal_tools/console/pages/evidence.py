"""The rows behind a verdict, as a person looks at them: the gain by block of time, and by group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract.model import Segment
from selfheal.data.moments import as_utc
from selfheal.gates.evidence import EvidenceRows
from selfheal.gates.resampling import blocks_of

# Groups of one feature that are shown, the largest first.
MOST_GROUPS = 12


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring rows in time order: how much lower the shadow model's loss is on them, per row."""

    oldest: datetime
    newest: datetime
    n: int
    gain: float


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one value or bin of a feature, and the same gain."""

    feature: str
    value: str
    n: int
    gain: float


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """What there is to see of a verdict's rows. gain: the mean over all."""

    rows: int
    gain: float
    blocks: tuple[Block, ...]
    groups: tuple[Group, ...]


def evidence_view(rows: EvidenceRows, segments: Sequence[Segment]) -> EvidenceView | None:
    """The view of rows by the contract's segments; None where there is nothing to draw."""
    if not rows.is_usable:
        return None
    gains = rows.gains
    return EvidenceView(
        rows=len(rows),
        gain=float(gains.mean()),
        blocks=tuple(_blocks(rows.timestamps, gains)),
        groups=tuple(group for segment in segments for group in _groups(rows.segments, segment, gains)),
    )


def _blocks(timestamps: NDArray[np.datetime64], gains: NDArray[np.float64]) -> Iterator[Block]:
    division = blocks_of(len(gains))
    for block in range(int(division.max()) + 1):
        inside = division == block
        moments = timestamps[inside]
        yield Block(as_utc(moments.min()), as_utc(moments.max()), int(inside.sum()), float(gains[inside].mean()))


def _groups(values: pd.DataFrame, segment: Segment, gains: NDArray[np.float64]) -> Iterator[Group]:
    if segment.feature not in values:
        return
    column = values[segment.feature].reset_index(drop=True)
    if segment.edges:
        column = pd.cut(column.astype("float64"), [-np.inf, *segment.edges, np.inf], right=False)
        names = dict(zip(column.cat.categories, _bin_names(segment.edges), strict=True))
        named = column.map(names).astype("object")
    else:
        named = column.astype("object").where(column.isna(), column.astype(str))
    found = pd.Series(gains).groupby(named.fillna("missing").to_numpy(), sort=False).agg(["size", "mean"])
    for name, row in found.sort_values("size", ascending=False).head(MOST_GROUPS).iterrows():
        yield Group(segment.feature, str(name), int(row["size"]), float(row["mean"]))


def _bin_names(edges: Sequence[float]) -> list[str]:
    inner = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return [f"below {edges[0]:g}", *inner, f"from {edges[-1]:g}"]
