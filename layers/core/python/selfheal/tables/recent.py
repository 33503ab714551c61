"""The newest predictions as monitoring holds them: the labelled ones whole, of the others a sample."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Self

from selfheal.tables.predictions import LabelledPredictions
from selfheal.tables.sample import Sample


@dataclass(frozen=True, eq=False)
class RecentPredictions:
    """n predictions, those left out that a broken pipeline made; `labelled` are oldest first."""

    n: int
    labelled: LabelledPredictions
    unlabelled: Sample

    def __len__(self) -> int:
        return self.n

    @property
    def coverage(self) -> float:
        """Labelled predictions / all; 0 where there are none."""
        return len(self.labelled) / max(self.n, 1)

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """Of parts that lie beside each other in time, in any order; there must be one at least."""
        if len(parts) == 1:
            return parts[0]
        whole = cls.concatenate(parts)
        return replace(whole, labelled=whole.labelled.in_time)

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Of several parts, in order of time; there must be one at least."""
        return cls(
            n=sum(part.n for part in parts),
            labelled=LabelledPredictions.concatenate([part.labelled for part in parts]),
            unlabelled=reduce(add, (part.unlabelled for part in parts)),
        )
