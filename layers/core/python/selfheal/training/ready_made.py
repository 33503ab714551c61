"""A model that comes ready-made: served as it is, judged and given an operating point by the newest rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from selfheal.contract import Contract
from selfheal.errors import ModelUnusable
from selfheal.labels.text import label_text
from selfheal.models.fitted import Calibration, FittedModel, Member
from selfheal.models.trainer import Begin, TrainedModel, unwatched
from selfheal.records.manifest import Candidate
from selfheal.tables.dataset import Dataset
from selfheal.tasks import task_for
from selfheal.training.candidates import classes_of
from selfheal.training.curves import curves_of
from selfheal.training.own import as_pipeline, kind_lacking
from selfheal.training.split import check_trainable, tuning_rows
from selfheal.training.training import LINKS

NAME = "ready-made"


@dataclass(frozen=True)
class ReadyMade:
    """A trainer that fits nothing: `estimator` is fitted already, by whoever made it, perhaps on these very rows."""

    estimator: Any

    def __call__(
        self, dataset: Dataset, contract: Contract, *, seed: int = 0, begin: Begin = unwatched
    ) -> TrainedModel:
        """See Trainer; the newest rows only say what it is worth and where it decides.

        Raises:
            ModelUnusable: not fitted, of another kind, or with other features or classes than the contract's.
            TrainingImpossible: too few labels, or one class only.
        """
        del seed, begin
        _check(self.estimator, contract)
        task = task_for(contract, dataset.labels)
        check_trainable(dataset, contract.policy.retraining.minimum_labels, task)
        newest = dataset.take(slice(len(dataset) - tuning_rows(dataset, task), None))
        fitted = FittedModel(
            [_member(self.estimator, contract)], Calibration(), np.nan, LINKS[task.name], classes_of(contract)
        )
        answers = _answers(fitted, newest)
        threshold = task.operating_point(answers, newest.labels, contract.model.threshold)
        metrics = task.tuning_metrics(answers, newest.labels, threshold)
        kind = {"estimator": type(fitted.members[0].pipeline[-1]).__name__}
        loss = float(task.losses(answers, newest.labels).mean())
        return TrainedModel(
            rows=len(dataset),
            fitted=FittedModel(fitted.members, fitted.calibration, threshold, fitted.link, fitted.classes),
            candidates=(Candidate(name=NAME, window="all", parameters=kind, metrics=metrics, chosen=True),),
            metrics=metrics,
            tuning_probabilities=answers,
            curves=curves_of({NAME: [loss]}, newest.labels, answers, task.name),
        )


def _answers(fitted: FittedModel, rows: Dataset) -> Any:
    try:
        return fitted.probabilities(rows.features)
    except Exception as error:
        # Its message may hold a row's values.
        raise ModelUnusable(
            f"the model fails on the rows with {type(error).__name__}: it has to take the contract's features in their "
            "order, as numbers (missing ones are NaN) and texts (missing ones are None)"
        ) from error


def _check(estimator: Any, contract: Contract) -> None:
    if not isinstance(estimator, BaseEstimator):
        raise ModelUnusable(
            f"the file holds a {type(estimator).__name__}: save a fitted scikit-learn estimator or pipeline"
        )
    try:
        check_is_fitted(estimator)
    except NotFittedError as error:
        raise ModelUnusable("the model isn't fitted: save it after `fit`") from error
    if kind := kind_lacking(estimator, contract):
        raise ModelUnusable(f"{type(estimator).__name__} is no {kind}: the contract's task is {contract.model.task}")
    _check_features(estimator, list(contract.feature_names))


def _check_features(estimator: Any, features: list[str]) -> None:
    known = getattr(estimator, "feature_names_in_", None)
    if known is None:
        count = getattr(estimator, "n_features_in_", len(features))
        if count != len(features):
            raise ModelUnusable(f"the model reads {count} features, the contract has {len(features)}")
        return
    names = [str(name) for name in known]
    if sorted(names) != sorted(features):
        missing, more = (sorted(set(one) - set(other)) for one, other in ((features, names), (names, features)))
        raise ModelUnusable(
            f"the model has other features than the contract: it lacks {missing} and reads {more} beside; "
            "name the same in both"
        )
    if names != features:
        raise ModelUnusable(f"the model reads the features in another order: let the contract list them as {names}")


def _member(estimator: Any, contract: Contract) -> Member:
    pipeline = as_pipeline(estimator)
    if contract.model.task == "regression":
        return Member(pipeline)
    classes = np.asarray(estimator.classes_).tolist()
    texts = [label_text(value) for value in classes]
    if contract.model.task == "multiclass":
        return Member(pipeline, positions=tuple(_positions(classes, texts, contract)))
    positive = label_text(contract.model.positive_label)
    if len(classes) != 2:  # noqa: PLR2004 - binary
        raise ModelUnusable(f"the model tells {len(classes)} classes apart, the contract two")
    if positive == texts[1] or (positive not in texts and classes == [0, 1]):
        return Member(pipeline)
    if positive != texts[0]:
        raise ModelUnusable(
            f"the model's classes are {texts}, the contract's positive label is {positive!r}: name it alike"
        )
    # Its log-odds are those of the other label.
    return Member(pipeline, weight=-1.0)


def _positions(classes: list[Any], texts: list[str], contract: Contract) -> list[int]:
    """Where the model's classes stand among the contract's; numbers from 0 on are positions already."""
    known = [label_text(name) for name in contract.model.classes or ()]
    if set(texts) <= set(known):
        return [known.index(text) for text in texts]
    if classes == list(range(len(classes))) and len(classes) <= len(known):
        return classes
    raise ModelUnusable(f"the model's classes are {texts}, the contract's {known}: name them alike")
