"""The versions that policies choose from, and what each answers; each trained and asked once, however many choose."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.data.moments import as_datetime64, as_utc
from selfheal.errors import TrainingImpossible
from selfheal.gates.evaluation_rows import evaluation_start
from selfheal.models.trainer import TrainedModel
from selfheal.tables.dataset import Dataset
from selfheal.tasks import Task, task_for
from selfheal.tasks.port import Floats
from selfheal_tools.backtest.model_cache import ModelCache
from selfheal_tools.backtest.scoring import Answers
from selfheal_tools.backtest.stream import Span, Stream

FIRST = "v0"

type Positions = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Version:
    """A model, what it was trained on, and after which period (0: the first version)."""

    name: str
    after: int
    model: TrainedModel
    rows: Dataset

    @property
    def threshold(self) -> float:
        """Its operating point."""
        return self.model.fitted.threshold


@dataclass(frozen=True, eq=False)
class Blend:
    """Versions that answer together by the mean of their scores. weights: shape (members,), their sum is 1."""

    name: str
    members: tuple[Version, ...]
    weights: Floats
    task: Task

    @property
    def threshold(self) -> float:
        """Its operating point."""
        return self.task.mean_point(np.array([member.threshold for member in self.members]), self.weights)


@dataclass(frozen=True, eq=False)
class Trial:
    """What a new version would be judged by at the end of a period; positions count rows of the traffic.

    new: labelled rows that are newer than those known at the trial before. kept_back: the newest of them, which
    `shadow` hasn't seen. coverage: labelled / all rows since the oldest of them.
    """

    new: Positions
    kept_back: Positions
    coverage: float
    shadow: Version


@dataclass(eq=False)
class Versions:
    """Trains and scores for all policies of one replay that choose among given versions."""

    stream: Stream
    contract: Contract
    cache: ModelCache
    task: Task = field(init=False)
    _made: dict[str, Version | Blend] = field(default_factory=dict)
    _said: dict[tuple[str, int], Floats] = field(default_factory=dict)
    _trials: dict[int, Trial | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # On the scale of what everybody begins with: a loss means the same for all policies and versions.
        self.task = task_for(self.contract, self.stream.initial.labels)

    def order(self, policies: Collection[str]) -> None:
        """Have the versions trained ahead that some of these policies will ask for, whatever comes."""
        if {"always", "random", "oracle"}.intersection(policies):
            for span in self.stream.spans:
                if len(self.stream.delivered(span.number)):
                    self.cache.order(self.rows_known(span.number), self.contract)

    def first(self) -> Version:
        """The version that everybody begins with."""
        return self._version(FIRST, 0, self.stream.initial)

    def on_everything(self, after: int) -> Version | str:
        """The version trained on all labels known by the end of a period, or why there is none."""
        if not len(self.stream.delivered(after)):
            return "no labels came"
        return self._trained(f"all-{after}", after, self.rows_known(after))

    def trial(self, after: int) -> Trial | str:
        """The trial at the end of a period, or why there is none. Trials are one after the other, as periods are."""
        for number in range(len(self._trials) + 1, after + 1):
            self._trials[number] = self._trial(number)
        return self._trials[after]

    def blend(self, name: str, members: tuple[Version, ...], weights: Floats) -> Blend:
        """Some of the versions as one."""
        made = self._made[name] = Blend(name, members, weights, self.task)
        return made

    def named(self, name: str) -> Version | Blend:
        """One that was made before."""
        return self._made[name]

    def rows_known(self, after: int) -> Dataset:
        """All labelled rows as of the end of a period, in time order."""
        known = self.stream.traffic.take(self.stream.known(after))
        return Dataset.concatenate([self.stream.initial, known]).in_time_order()

    def answers(self, version: Version | Blend, span: Span) -> Answers:
        """What a version answers in a period."""
        traffic = self.stream.traffic
        said = self.probabilities(version, np.arange(span.start, span.stop))
        predictions = self.task.predictions(said, version.threshold)
        return Answers(traffic.timestamps[span.rows], traffic.labels[span.rows], said, predictions, self.task)

    def probabilities(self, version: Version | Blend, rows: Positions) -> Floats:
        """What a version says of rows of the traffic, shape (n,) or (n, classes)."""
        if isinstance(version, Blend):
            scores = [self.task.scores(self.probabilities(member, rows)) for member in version.members]
            return self.task.answers(np.tensordot(version.weights, np.array(scores), axes=1))
        numbers = self.stream.period_of[rows]
        asked = [span for span in self.stream.spans if (numbers == span.number).any()]
        said = np.empty((len(rows), *(self.said(version, asked[0]).shape[1:] if asked else ())))
        for span in asked:
            is_in = numbers == span.number
            said[is_in] = self.said(version, span)[rows[is_in] - span.start]
        return said

    def said(self, version: Version, span: Span) -> Floats:
        """What a version says of a period's rows; it is asked once."""
        key = (version.name, span.number)
        if key not in self._said:
            self._said[key] = version.model.fitted.probabilities(self.stream.traffic.take(span.rows).features)
        return self._said[key]

    def _trial(self, after: int) -> Trial | str:
        stream, gates = self.stream, self.contract.policy.gates
        known = stream.known(after)
        moments = stream.traffic.timestamps
        judged = [trial for trial in self._trials.values() if isinstance(trial, Trial)]
        newest = moments[judged[-1].new[-1]] if judged else stream.initial.timestamps[-1]
        new = known[moments[known] > newest]
        start = evaluation_start(
            moments[new],
            stream.traffic.labels[new],
            after=as_utc(newest),
            minimum_samples=gates.minimum_samples,
            unhurried=True,
            task=self.task,
        )
        return "too few labels are new" if start is None else self._trial_since(start, new, after)

    def _trial_since(self, start: datetime, new: Positions, after: int) -> Trial | str:
        moments, since = self.stream.traffic.timestamps, as_datetime64(start)
        kept_back = new[moments[new] >= since]
        rows = self.rows_known(after)
        shadow = self._trained(f"held-out-{after}", after, rows.take(rows.timestamps < since))
        if isinstance(shadow, str):
            return shadow
        coverage = float(self.stream.comes[kept_back[0] : kept_back[-1] + 1].mean())
        return Trial(new, kept_back, coverage, shadow)

    def _trained(self, name: str, after: int, rows: Dataset) -> Version | str:
        try:
            return self._version(name, after, rows)
        except TrainingImpossible as error:
            return str(error)

    def _version(self, name: str, after: int, rows: Dataset) -> Version:
        # Asked again, it costs its training again, if only on paper.
        model = self.cache.fit(rows.in_time_order(), self.contract)
        made = self._made.get(name)
        if not isinstance(made, Version):
            made = self._made[name] = Version(name, after, model, rows)
        return made
