"""The port: all that the loop has to know of a kind of target, and the two records in which rows reach it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from selfheal.contract.model import ErrorCosts, TaskName
from selfheal.records.monitoring import Estimate
from selfheal.tasks.metric import Metric

type Floats = NDArray[np.float64]
# What a label is, one value a row: 0 or 1, the position of a class, or a number.
type Labels = NDArray[Any]
# The expected loss of each row, shape (n,), of a model's answers to rows of these traits, shape (n, k).
type LossModel = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """n labelled rows as a model scores them, in time order.

    answers: what the model says, shape (n,), or (n, classes). labels: shape (n,). traits: shape (n, k), what the rows
    are like: ranks of numeric features.
    """

    answers: Floats
    labels: Labels
    traits: Floats

    def take(self, rows: NDArray[np.bool_], /) -> Self:
        """The rows that a mask selects."""
        return type(self)(self.answers[rows], self.labels[rows], self.traits[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Unlabelled:
    """n answered rows without labels: `answers` and `traits` as in `Scored`, and `predictions` of shape (n,)."""

    answers: Floats
    predictions: Labels
    traits: Floats

    def take(self, rows: NDArray[np.intp], /) -> Self:
        """The rows at these positions."""
        return type(self)(self.answers[rows], self.predictions[rows], self.traits[rows])


class Counted(NamedTuple):
    """How many labels are of a kind that people ask for, and its name: 12 "positive"."""

    number: int
    kind: str


class Measured(NamedTuple):
    """Metrics by name, and how many of the rows are (or, without labels, are expected to be) positive.

    Of several classes `positives` counts the rows beside the commonest one; of numbers it is 0.
    """

    metrics: dict[str, Estimate]
    positives: float


class PriorShift(NamedTuple):
    """Whether a shift of the labels' own distribution explains what was found: it does where `p_value` isn't small."""

    p_value: float
    said: str


class Task(Protocol):
    """One kind of target.

    Of n rows `answers` is what a model says, shape (n,) or (n, classes); `predictions` and `labels` have shape (n,).
    All methods are pure, and the same arguments give the same bits.
    """

    @property
    def name(self) -> TaskName:
        """As a contract names it."""
        ...

    @property
    def loss(self) -> str:
        """What people call one row's loss: "Brier"."""
        ...

    @property
    def score(self) -> str:
        """What people call the mean of the losses: "Brier score"."""
        ...

    @property
    def is_relative(self) -> bool:
        """Whether a change of the score is told relative to production's: the score's own scale says little."""
        ...

    @property
    def shifted(self) -> str:
        """What a prior shift is, in words: "positives have become more or less frequent"."""
        ...

    @property
    def needs(self) -> str:
        """What labels have to hold so that they judge a model, said after their number: "of both classes"."""
        ...

    @property
    def spread(self) -> float | None:
        """How far the target spreads, in its unit, which the loss is relative to; None where it isn't."""
        ...

    @property
    def gate_metrics(self) -> Mapping[str, Metric]:
        """The metrics that a contract's `gain_metrics` may name."""
        ...

    @property
    def segment_metric(self) -> Metric:
        """What must not drop in a segment."""
        ...

    @property
    def history_metrics(self) -> Mapping[str, Metric]:
        """What a whole history of answers is told by, by name; one of them is `mean_loss`."""
        ...

    @property
    def mean_loss(self) -> str:
        """The name among `history_metrics` of the mean of the losses."""
        ...

    def roc_auc(self, answers: Floats, labels: Labels, /) -> Estimate | None:
        """How well the answers rank, with a 95 % interval; None where the kind of target has no such thing."""
        ...

    def occurrence(self, labels: Labels, /) -> Mapping[str, Any]:
        """What at least one label is like, by name: a count of positives, of each class, or a mean."""
        ...

    def are_answers(self, answers: Floats, /) -> bool:
        """Whether every row has an answer that a model of this kind can give."""
        ...

    def predictions(self, answers: Floats, point: float, /) -> Labels:
        """What is predicted at an operating point."""
        ...

    def operating_point(self, answers: Floats, labels: Labels, asked: float | str | ErrorCosts, /) -> float:
        """The operating point that a contract asks for, chosen on these rows where it names none itself."""
        ...

    def scores(self, answers: Floats, /) -> Floats:
        """Answers on the scale on which models are averaged (the link), in the same shape."""
        ...

    def answers(self, scores: Floats, /) -> Floats:
        """The inverse of `scores`."""
        ...

    def mean_predictions(self, scores: Floats, points: Floats, weights: Floats, /) -> Labels:
        """What weighted means of models predict: their `scores`, of models of these operating points, shape (models,),
        weighted in each row, shape (n, models).
        """
        ...

    def mean_point(self, points: Floats, weights: Floats, /) -> float:
        """The operating point of a weighted mean of models, shape (models,) each."""
        ...

    def losses(self, answers: Floats, labels: Labels, /) -> Floats:
        """The loss of each row, in [0, 1], shape (n,): all that sign flips and bets need."""
        ...

    def distances(self, before: Floats, after: Floats, /) -> Floats:
        """How far two models' answers to a row are apart, on the scale of the loss, shape (n,)."""
        ...

    def half_width_of(self, answers: Floats, labels: Labels, /) -> float | None:
        """How far an answer's interval reaches on either side, by rows new to the model; None: there is none."""
        ...

    def support(self, labels: Labels, /) -> NDArray[np.intp]:
        """Of the first 1, 2, ... n rows, how many are of the rarer class, half of them at most, shape (n,)."""
        ...

    def are_telling(self, labels: Labels, /) -> bool:
        """Whether `segment_metric` says anything of rows with these labels."""
        ...

    def counted(self, labels: Labels, /) -> Counted | None:
        """What people want to know of labels beside their number."""
        ...

    def shortage(self, labels: Labels, least: int, /) -> str | None:
        """Why no model can be trained on these labels: `least` rows of support are needed. None where it can."""
        ...

    def uneven(self, least: int, /) -> str:
        """Why rows can't be divided into ones that fit and ones that tune: a half holds less support than `least`."""
        ...

    def tuning_metrics(self, answers: Floats, labels: Labels, point: float, /) -> dict[str, float]:
        """What a candidate is described by, over rows that hold both classes."""
        ...

    def realised(self, answers: Floats, predictions: Labels, labels: Labels, /) -> Measured:
        """Metrics of at least one labelled row, each with a 95 % interval."""
        ...

    def estimated(self, rows: Unlabelled, tuning: Scored, /) -> Measured:
        """The same of at least one row without a label, by what `tuning` rows, which the model hadn't seen, teach."""
        ...

    def expected_losses(self, tuning: Scored, /) -> LossModel:
        """What a row's answer lets expect of its loss, as the tuning rows teach."""
        ...

    def excess_p_value(self, answers: Floats, labels: Labels, /) -> float:
        """One-sided p-value of 'the model loses no more than its own answers let expect'."""
        ...

    def meaning_p_value(self, then: Scored, now: Scored, /) -> float:
        """Whether the same inputs mean now what they meant then: small where they don't."""
        ...

    def prior_shift(self, then: Scored, now: Scored, /) -> PriorShift:
        """Whether a shift of the labels alone explains that they don't."""
        ...


def rows_with(task: Task, labels: Labels, support: int) -> int:
    """How many of the newest rows have that much support; one more than there are where all together don't."""
    return int(np.searchsorted(task.support(labels[::-1]), support)) + 1


def support_of(task: Task, labels: Labels) -> int:
    """That of all rows; 0 where there are none."""
    return int(task.support(labels)[-1]) if len(labels) else 0
