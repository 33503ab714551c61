"""The versions that blind policies choose from, and what each answers in each period; made once, however many ask."""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from infra.backtest.scoring import Answers
from infra.backtest.shelf import Shelf
from infra.backtest.stream import Span, Stream
from selfheal.contract import Contract
from selfheal.data.dataset import Dataset
from selfheal.errors import TrainingImpossible
from selfheal.training import TrainedModel

FIRST = "v0"


@dataclass(frozen=True, eq=False)
class Version:
    """A model, what it was trained on, and after which period (0: the first version)."""

    name: str
    after: int
    model: TrainedModel
    rows: Dataset


@dataclass(eq=False)
class Versions:
    """Trains and scores for all blind policies of one replay."""

    stream: Stream
    contract: Contract
    shelf: Shelf
    _made: dict[str, Version] = field(default_factory=dict)
    _probabilities: dict[tuple[str, int], NDArray[np.float64]] = field(default_factory=dict)

    def order(self, policies: Collection[str]) -> None:
        """Have the versions trained ahead that some of these policies will ask for, whatever comes."""
        if {"always", "drift-naive", "random", "oracle"}.intersection(policies):
            for span in self.stream.spans:
                if len(self.stream.delivered(span.number)):
                    self.shelf.order(self.rows_known(span.number), self.contract)

    def first(self) -> Version:
        """The version that everybody begins with."""
        return self._version(FIRST, 0, self.stream.initial)

    def on_everything(self, after: int) -> Version | str:
        """The version trained on all labels known by the end of a period, or why there is none."""
        if not len(self.stream.delivered(after)):
            return "no labels came"
        return self.trained(f"all-{after}", after, self.rows_known(after))

    def made(self) -> Collection[Version]:
        """All versions so far."""
        return self._made.values()

    def rows_known(self, after: int) -> Dataset:
        """All labelled rows as of the end of a period, in time order."""
        known = self.stream.traffic.take(self.stream.known(after))
        return Dataset.concatenate([self.stream.initial, known]).in_time_order()

    def trained(self, name: str, after: int, rows: Dataset) -> Version | str:
        """A version trained on some rows, or why it can't be."""
        try:
            return self._version(name, after, rows)
        except TrainingImpossible as error:
            return str(error)

    def answers(self, version: Version, span: Span) -> Answers:
        """What a version answers in a period."""
        key = (version.name, span.number)
        rows = self.stream.traffic.take(span.rows)
        if key not in self._probabilities:
            self._probabilities[key] = version.model.fitted.probabilities(rows.features)
        probabilities = self._probabilities[key]
        predictions = (probabilities >= version.model.fitted.threshold).astype(np.int8)
        return Answers(rows.timestamps, rows.labels, probabilities, predictions)

    def _version(self, name: str, after: int, rows: Dataset) -> Version:
        # Asked again, it costs its training again, if only on paper.
        model = self.shelf.fit(rows.in_time_order(), self.contract)
        return self._made.setdefault(name, Version(name, after, model, rows))
