"""Ensembles of whole models as layers: votes, stacks, calibrations; each member may be a pipeline of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor
from sklearn.isotonic import IsotonicRegression
from sklearn.pipeline import Pipeline

from selfheal.errors import ExportInexact
from selfheal.models.native.export.columns import Column
from selfheal.models.native.export.exported import Estimator, Exported
from selfheal.models.native.export.libraries import exported, has_linear_decision, linear_decision
from selfheal.models.native.export.preparation import prepared

type Ensemble = VotingClassifier | CalibratedClassifierCV | StackingClassifier
type Layer = dict[str, Any]

CLASSIFIERS = (VotingClassifier, CalibratedClassifierCV, StackingClassifier)
# Estimators of shares, by what makes scores of them.
OF_SHARES = ("log_odds", "log")


def scored(estimator: Any, columns: list[Column]) -> Exported:
    """A fitted estimator by its scores: log-odds, one of each class, or a number. Raises ExportInexact."""
    if isinstance(estimator, VotingRegressor):
        return _mean_of_numbers(estimator, columns)
    if isinstance(estimator, StackingRegressor):
        return _stacked(estimator, columns, "predict")
    if not isinstance(estimator, CLASSIFIERS):
        return exported(estimator, columns)
    if hasattr(estimator, "decision_function"):
        return _stacked(estimator, columns, "decision_function")
    shares = answers(estimator, columns, "predict_proba")
    (made,) = shares.outputs
    layers = made["layers"] if made["kind"] == "layers" else [_whole(shares)]
    if shares.classes == 1:
        return Exported(shares.columns, [{"kind": "log_odds", "estimator": _layers(*layers)}])
    logs = _steps([[{"kind": "log"}]] * shares.classes)
    return Exported(shares.columns, [_layers(*layers, logs)], shares.classes)


def answers(estimator: Any, columns: list[Column], method: str) -> Exported:
    """What a member answers when it is asked by one of scikit-learn's methods, as one estimator.

    `classes` is how many columns it makes: one of a binary target, the positive class's.
    """
    if hasattr(estimator, "best_estimator_"):
        return answers(estimator.best_estimator_, columns, method)
    if isinstance(estimator, Pipeline):
        *preparation, (_, last) = estimator.steps
        return answers(last, prepared(Pipeline(preparation), columns) if preparation else columns, method)
    if isinstance(estimator, CLASSIFIERS):
        return _ensemble(estimator, columns, method)
    if method == "decision_function" and has_linear_decision(estimator):
        return _single(linear_decision(estimator, columns))
    found = scored(estimator, columns)
    return _shares(found) if method == "predict_proba" else _single(found)


def _ensemble(estimator: Ensemble, columns: list[Column], method: str) -> Exported:
    if isinstance(estimator, VotingClassifier):
        return _voted(estimator, columns)
    if isinstance(estimator, CalibratedClassifierCV):
        return _calibrated(estimator, columns)
    return _stacked(estimator, columns, method)


def _single(found: Exported) -> Exported:
    """The same as one estimator."""
    if len(found.outputs) == 1:
        return found
    return Exported(found.columns, [{"kind": "outputs", "outputs": list(found.outputs)}], len(found.outputs))


def _shares(found: Exported) -> Exported:
    """Probabilities of scores; what has made scores of shares is taken away."""
    if all(output["kind"] in OF_SHARES for output in found.outputs):
        return _single(Exported(found.columns, [output["estimator"] for output in found.outputs]))
    single = _single(found)
    made = _whole(single)
    link = _steps([[{"kind": "expit"}]]) if single.classes == 1 else {"kind": "softmax", "size": single.classes}
    return Exported(single.columns, [_layers(made, link)], single.classes)


def _voted(estimator: VotingClassifier, columns: list[Column]) -> Exported:
    if estimator.voting != "soft":
        raise ExportInexact("VotingClassifier(voting='hard') has no probabilities: use voting='soft'")
    beside = _Beside()
    for member in estimator.estimators_:
        beside.add(answers(member, columns, "predict_proba"))
    return _averaged(beside, estimator._weights_not_none)  # noqa: SLF001


def _averaged(beside: "_Beside", weights: Sequence[float] | None, *further: Layer) -> Exported:
    """The mean of the members' shares, each class apart; `further` is done to the shares before."""
    members, classes = len(beside.members), beside.width // len(beside.members)
    shares = np.ones(members) if weights is None else np.array(weights, dtype=np.float64)
    shares = shares / shares.sum()
    means = [
        {
            "columns": [classes * member + of for member in range(members)],
            "estimator": {"kind": "linear", "intercept": 0.0, "coefficients": shares.tolist()},
        }
        for of in range(classes)
    ]
    mean = {"kind": "estimators", "estimators": means, "keeps": []}
    return Exported(beside.columns, [_layers(beside.layer, *further, mean)], classes)


def _calibrated(estimator: CalibratedClassifierCV, columns: list[Column]) -> Exported:
    beside = _Beside()
    steps: list[list[dict[str, Any]]] = []
    for member in estimator.calibrated_classifiers_:
        inner = member.estimator
        method = "decision_function" if hasattr(inner, "decision_function") else "predict_proba"
        found = answers(inner, columns, method)
        if member.method == "temperature" or found.classes != len(member.calibrators):
            raise ExportInexact(
                "CalibratedClassifierCV with method='temperature', or with a fold that lacks a class, can't be served: "
                "use sigmoid or isotonic and fewer folds, or leave it out (calibration is done here)"
            )
        beside.add(found)
        steps += [_calibration(calibrator) for calibrator in member.calibrators]
    classes = beside.width // len(beside.members)
    normalised = [{"kind": "proportions", "size": classes}] if classes > 1 else []
    return _averaged(beside, None, _steps(steps), *normalised)


def _calibration(calibrator: Any) -> list[dict[str, Any]]:
    if not isinstance(calibrator, IsotonicRegression):
        return [{"kind": "scale", "factor": -float(calibrator.a_), "offset": -float(calibrator.b_)}, {"kind": "expit"}]
    knots, values = calibrator.X_thresholds_.astype(np.float64), calibrator.y_thresholds_.astype(np.float64)
    slopes = np.diff(values) / np.diff(knots)
    between = [[value, slope] for value, slope in zip(values[:-1].tolist(), slopes.tolist(), strict=True)]
    origins = [float(knots[0]), *knots[:-1].tolist(), float(knots[-1])]
    pieces = [[float(values[0])], *between, [float(values[-1])]]
    return [{"kind": "pieces", "knots": knots.tolist(), "origins": origins, "pieces": pieces}]


def _stacked(estimator: StackingClassifier | StackingRegressor, columns: list[Column], method: str) -> Exported:
    """What the members answer, and the columns that are passed through, into the final estimator."""
    beside = _Beside()
    for member, asked in zip(estimator.estimators_, estimator.stack_method_, strict=True):
        if asked == "predict" and hasattr(member, "classes_"):
            raise ExportInexact(
                f"{type(member).__name__} without probabilities can't be stacked: use one that has them"
            )
        beside.add(answers(member, columns, asked))
    made = [Column({"kind": "number", "made": place, "steps": []}) for place in range(beside.width)]
    final = answers(estimator.final_estimator_, [*made, *(columns if estimator.passthrough else [])], method)
    read, kept = [], list[int]()
    for column in final.columns:
        if "made" in column.block:
            read.append((column.block["made"], column.block["steps"]))
        else:
            read.append((beside.width + len(kept), []))
            kept += beside.places([column])
    chosen = {"kind": "columns", "columns": [{"column": place, "steps": steps} for place, steps in read]}
    return Exported(beside.columns, [_layers({**beside.layer, "keeps": kept}, chosen, _whole(final))], final.classes)


def _mean_of_numbers(estimator: VotingRegressor, columns: list[Column]) -> Exported:
    """A weighted sum, of which reasons can be given."""
    weights = estimator._weights_not_none  # noqa: SLF001
    shares = np.ones(len(estimator.estimators_)) if weights is None else np.array(weights, dtype=np.float64)
    read, parts = list[Column](), []
    for member, share in zip(estimator.estimators_, (shares / shares.sum()).tolist(), strict=True):
        found = answers(member, columns, "predict")
        (made,) = found.outputs
        whole = [{"weight": 1.0, "columns": len(found.columns), "estimator": made}]
        parts += [{**part, "weight": share * part["weight"]} for part in made.get("parts", whole)]
        read += found.columns
    return Exported(read, [{"kind": "sum", "parts": parts}])


@dataclass
class _Beside:
    """Members beside each other: the columns that they read, each once, and how many they make."""

    columns: list[Column] = field(default_factory=list)
    members: list[Layer] = field(default_factory=list)
    width: int = 0
    _places: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, found: Exported) -> None:
        (made,) = found.outputs
        self.members.append({"columns": self.places(found.columns), "estimator": made})
        self.width += found.classes

    def places(self, columns: Sequence[Column]) -> list[int]:
        """Where these columns are; they are added where they aren't there yet."""
        places = []
        for column in columns:
            key = (id(column.block), column.place)
            if key not in self._places:
                self._places[key] = len(self.columns)
                self.columns.append(column)
            places.append(self._places[key])
        return places

    @property
    def layer(self) -> Layer:
        return {"kind": "estimators", "estimators": self.members, "keeps": []}


def _whole(found: Exported) -> Layer:
    """The layer of one estimator that reads all columns."""
    (made,) = found.outputs
    whole = {"columns": list(range(len(found.columns))), "estimator": made}
    return {"kind": "estimators", "estimators": [whole], "keeps": []}


def _layers(*layers: Layer) -> Estimator:
    return {"kind": "layers", "layers": list(layers)}


def _steps(steps: Sequence[list[dict[str, Any]]]) -> Layer:
    """Steps for each column."""
    return {"kind": "columns", "columns": [{"column": place, "steps": of} for place, of in enumerate(steps)]}
