"""The predictions of a window in fixed size: summaries of its parts add up to that of the whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Self

from selfheal.drift import Reference
from selfheal.drift.summary import InputSummary
from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.sample import Hashes, Sample

# The newest rows are looked at alone as well: a pipe that has just broken is seen before it colours the whole window.
NEWEST_ROWS = 200


@dataclass(frozen=True, eq=False)
class WindowSummary:
    """n predictions beside the reference of one version.

    samples: by the version that answered, so that the predictions of each are there however few they are among all.
    newest: the newest two hundred, oldest first.
    """

    inputs: InputSummary
    samples: Mapping[str, Sample]
    newest: PredictionWindow

    @classmethod
    def of(cls, rows: PredictionWindow, hashes: Hashes, reference: Reference) -> Self:
        """Of some predictions, oldest first; `hashes` are of their ids."""
        masks = {version: rows.model_versions == version for version in sorted(set(rows.model_versions.tolist()))}
        samples = {version: Sample.of(rows.take(mask), hashes[mask]) for version, mask in masks.items()}
        return cls(reference.summary_of(rows.features), samples, rows.take(slice(-NEWEST_ROWS, None)))

    def __len__(self) -> int:
        return len(self.inputs)

    def __add__(self, other: Self) -> Self:
        """Of the predictions of both; each must be in one of them only."""
        samples = dict(self.samples)
        for version, sample in other.samples.items():
            samples[version] = samples[version] + sample if version in samples else sample
        newest = PredictionWindow.concatenate([self.newest, other.newest])
        newest = newest.take(newest.order_in_time[-NEWEST_ROWS:])
        return type(self)(self.inputs + other.inputs, samples, newest)

    @property
    def sample(self) -> PredictionWindow:
        """Ten thousand of the predictions, oldest first; all where they are fewer."""
        return self.drawn.rows if self.drawn else self.newest

    @cached_property
    def drawn(self) -> Sample | None:
        """The same with the hashes of their ids; None where there is no prediction."""
        return reduce(add, self.samples.values()) if self.samples else None
