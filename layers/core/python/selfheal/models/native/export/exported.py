"""What an exporter of estimators hands back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from selfheal.models.native.export.columns import Column

type Estimator = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exported:
    """The columns that an estimator reads, in its order, and the estimator as the format has it.

    outputs: one of a binary target or of numbers, one for each of several classes; or a single one that makes the
    scores of all `classes` at once.
    """

    columns: Sequence[Column]
    outputs: Sequence[Estimator]
    classes: int = 1
