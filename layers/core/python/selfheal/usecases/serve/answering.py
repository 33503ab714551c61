"""What a row is told: the part of a prediction that depends on the kind of target."""

from collections.abc import Callable, Mapping
from typing import Any

from selfheal.contract.model import ModelSection
from selfheal.records.manifest import Manifest

type Choice = Callable[[list[float]], int]
type Answered = Callable[[Any], Mapping[str, Any]]


def answering(manifest: Manifest, threshold: float) -> Answered:
    """From what a version's model says of a row to the fields of its prediction, in the order of the log."""
    model = manifest.contract.model
    if model.task == "regression":
        return _number(manifest.half_width)
    return _binary(threshold) if model.task == "binary" else _one_of(model.classes or (), _choice(model))


def _binary(threshold: float) -> Answered:
    return lambda probability: {"probability": probability, "prediction": 1 if probability >= threshold else 0}


def _choice(model: ModelSection) -> Choice:
    """The position of the class that is predicted: the likeliest, or that of the least expected cost."""
    classes = model.classes or ()
    if model.error_costs is None:
        return lambda probabilities: probabilities.index(max(probabilities))
    costs = [[model.error_cost(truth, predicted) for truth in classes] for predicted in classes]

    def cheapest(probabilities: list[float]) -> int:
        expected = [_expected(probabilities, of_class) for of_class in costs]
        return expected.index(min(expected))

    return cheapest


def _expected(probabilities: list[float], costs: list[float]) -> float:
    total = 0.0
    # Not `sum`, which rounds otherwise than what judges versions.
    for probability, cost in zip(probabilities, costs, strict=True):
        total += probability * cost
    return total


def _one_of(classes: tuple[str, ...], choice: Choice) -> Answered:
    def answered(probabilities: list[float]) -> Mapping[str, Any]:
        chosen = choice(probabilities)
        return {
            "probability": probabilities[chosen],
            "prediction": classes[chosen],
            "probabilities": dict(zip(classes, probabilities, strict=True)),
        }

    return answered


def _number(half_width: float | None) -> Answered:
    reach = half_width or 0.0
    return lambda number: {
        "probability": None,
        "prediction": number,
        "interval": [number - reach, number + reach],
    }
