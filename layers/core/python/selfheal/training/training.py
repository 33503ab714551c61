"""The training run: compare candidates on the newest rows, blend the best of each kind, fit the winner on all rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from selfheal.contract import Contract
from selfheal.contract.model import TaskName
from selfheal.models.fitted import FittedModel, Link, Member
from selfheal.models.trainer import Begin, TrainedModel, unwatched
from selfheal.records.manifest import Candidate
from selfheal.tables.dataset import Dataset
from selfheal.tasks import Task, task_for
from selfheal.training.breaks import rows_since_break
from selfheal.training.calibration import calibration_of
from selfheal.training.candidates import Recipe, classes_of, recipes_of, scores_of
from selfheal.training.curves import curves_of
from selfheal.training.own import OwnRecipe
from selfheal.training.parallel import in_parallel
from selfheal.training.split import Past, check_trainable, fits_at_a_time, pasts, sampled, tuning_rows, within_window

# The linear model's weight in a blend. A quarter is the usual choice: it steadies the trees where the world has moved
# beyond what they saw. Another weight has to be this much better on the tuning rows.
USUAL_WEIGHT = 0.25
WEIGHTS = (0.0, 0.25, 0.5, 1.0)
UNUSUAL_HANDICAP = 1.05
# Candidates are compared on a sample of longer pasts: sooner found, the winners do as well on the rows that come next.
COMPARED_ROWS = 30_000
# The calibration is of a twin that hadn't seen the tuning rows; the final model has learnt part of it from them.
CALIBRATION_SHARE = 0.5
type AnyRecipe = Recipe | OwnRecipe
LINKS: dict[TaskName, Link] = {"binary": "expit", "multiclass": "softmax", "regression": "identity"}


@dataclass(frozen=True, eq=False)
class _Contestant:
    """A recipe on a past; `scores` of the tuning rows, `losses` one for each number of trees."""

    recipe: AnyRecipe
    past: Past
    scores: NDArray[np.float64]
    losses: Sequence[float]

    @property
    def loss(self) -> float:
        """Its mean loss on the tuning rows: the lowest wins."""
        return min(self.losses)

    @property
    def parameters(self) -> dict[str, Any]:
        return {**self.recipe.parameters, "past": self.past.name}


@dataclass(frozen=True, eq=False)
class _Blend:
    """The best of each kind, the linear one with a weight; at weight 0 or 1 it is one of the two alone."""

    linear: _Contestant
    boosting: _Contestant
    weight: float

    @property
    def parts(self) -> list[tuple[_Contestant, float]]:
        both = [(self.boosting, 1.0 - self.weight), (self.linear, self.weight)]
        return [(contestant, weight) for contestant, weight in both if weight]

    @property
    def scores(self) -> NDArray[np.float64]:
        return np.asarray(sum(weight * contestant.scores for contestant, weight in self.parts))


def train(dataset: Dataset, contract: Contract, *, seed: int = 0, begin: Begin = unwatched) -> TrainedModel:
    """Train on labelled rows in time order; the same rows and seed give the same model.

    `begin` is told each fit before it begins, and may raise to end the run.

    Raises:
        TrainingImpossible: too few labels, one class only, or hardly any of a class.
        TrainingBudgetExceeded: more values than fit into a function's memory.
        TrainerFailed: the contract names a trainer of one's own, and that failed.
    """
    dataset = within_window(dataset, contract.policy.retraining.window)
    task = task_for(contract, dataset.labels)
    check_trainable(dataset, contract.policy.retraining.minimum_labels, task)
    # What is fitted here itself is one thread's too (why: see `training/parallel.py`).
    with threadpool_limits(1):
        if contract.policy.retraining.window == "auto":
            kept = rows_since_break(dataset, contract, seed, begin, task)
            dataset = dataset.take(slice(len(dataset) - kept, None))
        return _Run(dataset, contract, seed, begin, task).result()


class _Run:
    def __init__(self, dataset: Dataset, contract: Contract, seed: int, begin: Begin, task: Task) -> None:
        self._dataset, self._contract, self._seed, self._begin = dataset, contract, seed, begin
        self._task, self._classes = task, classes_of(contract)
        tuning = tuning_rows(dataset, task)
        self._older = sampled(dataset.take(slice(0, len(dataset) - tuning)), COMPARED_ROWS, seed, task)
        self._newest = dataset.take(slice(len(dataset) - tuning, None))
        self._in_parallel = partial(in_parallel, at_a_time=fits_at_a_time(dataset))

    def result(self) -> TrainedModel:
        linear, boosting = self._contestants()
        # A trainer of one's own competes with nobody but itself on another past.
        blend = self._blend(_best(linear), _best(boosting)) if boosting else _Blend(_best(linear), _best(linear), 1.0)
        calibration = calibration_of(blend.scores, self._newest.labels, self._task.name)
        probabilities = self._task.answers(calibration.scores(blend.scores))
        threshold = self._threshold(probabilities)
        metrics = self._task.tuning_metrics(probabilities, self._newest.labels, threshold)
        used = [contestant for contestant, _ in blend.parts]
        records = [self._record(contestant, is_chosen=used == [contestant]) for contestant in (*linear, *boosting)]
        return TrainedModel(
            rows=len(self._dataset),
            fitted=FittedModel(
                self._refitted(blend),
                calibration.shrunk(CALIBRATION_SHARE),
                threshold,
                LINKS[self._task.name],
                self._classes,
            ),
            candidates=(*records, *([_blend_record(blend, metrics)] if len(used) > 1 else [])),
            metrics=metrics,
            tuning_probabilities=probabilities,
            curves=curves_of(
                {f"{one.recipe.name}, {one.past.name}": one.losses for one in (*linear, *boosting)},
                self._newest.labels,
                probabilities,
                self._task.name,
            ),
        )

    def _contestants(self) -> tuple[list[_Contestant], list[_Contestant]]:
        """The linear model and boosting, each on every past."""
        tried = pasts(self._contract.policy.retraining.window)
        if self._contract.model.trainer is not None:
            own = OwnRecipe(self._contract.model.trainer)
            return self._in_parallel(self._contestant, [(own, past) for past in tried]), []
        linear, boosting = recipes_of(self._contract.model.task, self._classes)
        # Boosting first: it takes the longest, so that the linear ones fill the gap that it leaves.
        entered = [(recipe, past) for recipe in (boosting, linear) for past in tried]
        both = self._in_parallel(self._contestant, entered)
        return both[len(tried) :], both[: len(tried)]

    def _contestant(self, entered: tuple[AnyRecipe, Past]) -> _Contestant:
        recipe, past = entered
        self._begin(f"comparing {_words(recipe)} ({past.name} rows)")
        staged = scores_of(recipe.fitted(self._contract, self._older, past, self._seed), self._newest, self._classes)
        if not recipe.is_boosting:
            # Nobody chooses how many trees a trainer of one's own has: it is served as it is fitted.
            staged = staged[-1:]
        losses = [self._loss(scores) for scores in staged]
        best = int(np.argmin(losses))
        chosen = recipe.with_trees(best + 1) if recipe.is_boosting else recipe
        return _Contestant(chosen, past, staged[best], losses)

    def _blend(self, linear: _Contestant, boosting: _Contestant) -> _Blend:
        blends = [_Blend(linear, boosting, weight) for weight in WEIGHTS]
        handicaps = [1.0 if blend.weight == USUAL_WEIGHT else UNUSUAL_HANDICAP for blend in blends]
        judged = [self._loss(blend.scores) * handicap for blend, handicap in zip(blends, handicaps, strict=True)]
        return blends[int(np.argmin(judged))]

    def _refitted(self, blend: _Blend) -> list[Member]:
        return self._in_parallel(self._member, blend.parts)

    def _member(self, part: tuple[_Contestant, float]) -> Member:
        contestant, weight = part
        self._begin(f"fitting {_words(contestant.recipe)} on all rows")
        return Member(contestant.recipe.fitted(self._contract, self._dataset, contestant.past, self._seed), weight)

    def _loss(self, scores: NDArray[np.float64]) -> float:
        return float(self._task.losses(self._task.answers(scores), self._newest.labels).mean())

    def _threshold(self, probabilities: NDArray[np.float64]) -> float:
        return self._task.operating_point(probabilities, self._newest.labels, self._contract.model.threshold)

    def _record(self, contestant: _Contestant, *, is_chosen: bool) -> Candidate:
        probabilities = self._task.answers(contestant.scores)
        return Candidate(
            name=contestant.recipe.name,
            window=contestant.past.name,
            parameters=contestant.recipe.parameters,
            metrics=self._task.tuning_metrics(probabilities, self._newest.labels, self._threshold(probabilities)),
            chosen=is_chosen,
        )


def _best(contestants: Sequence[_Contestant]) -> _Contestant:
    return min(contestants, key=lambda contestant: contestant.loss)


def _words(recipe: AnyRecipe) -> str:
    return recipe.name.replace("_", " ")


def _blend_record(blend: _Blend, metrics: dict[str, float]) -> Candidate:
    """The record of a blend: the parameters of its parts, and the metrics of the finished model."""
    parameters = {
        contestant.recipe.name: {"weight": weight, **contestant.parameters} for contestant, weight in blend.parts
    }
    window = " + ".join(dict.fromkeys(contestant.past.name for contestant, _ in blend.parts))
    return Candidate(name="blend", window=window, parameters=parameters, metrics=metrics, chosen=True)
