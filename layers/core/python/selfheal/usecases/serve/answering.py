"""What a row is told: the part of a prediction that depends on the kind of target."""

from collections.abc import Callable, Mapping
from typing import Any

from selfheal.records.manifest import Manifest

type Answered = Callable[[Any], Mapping[str, Any]]


def answering(manifest: Manifest, threshold: float) -> Answered:
    """From what a version's model says of a row to the fields of its prediction, in the order of the log."""
    model = manifest.contract.model
    if model.task == "regression":
        return _number(manifest.half_width)
    return _binary(threshold) if model.task == "binary" else _one_of(model.classes or ())


def _binary(threshold: float) -> Answered:
    return lambda probability: {"probability": probability, "prediction": 1 if probability >= threshold else 0}


def _one_of(classes: tuple[str, ...]) -> Answered:
    def answered(probabilities: list[float]) -> Mapping[str, Any]:
        highest = max(probabilities)
        return {
            "probability": highest,
            "prediction": classes[probabilities.index(highest)],
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
