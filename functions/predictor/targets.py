"""What answers and labels look like, by the kind of target that a contract has."""

from typing import Any, NamedTuple

from selfheal.contract import Contract

type Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_THRESHOLD: Schema = {"type": "number", "description": "Predicted 1 from this probability on"}


class Target(NamedTuple):
    """Schemas of the fields that depend on the target: of a prediction, of a whole answer, of the model; of a label.

    example_labels: two labels as a caller might send them.
    """

    prediction: dict[str, Schema]
    facts: dict[str, Schema]
    card: dict[str, Schema]
    label: Schema
    example_labels: tuple[Any, Any]


def target_of(contract: Contract) -> Target:
    """The schemas of a contract's target."""
    if contract.model.task == "regression":
        return _number(contract)
    if contract.model.task == "binary":
        return _binary()
    chosen = "The likeliest class" if contract.model.error_costs is None else "The class of the least expected cost"
    return _one_of(contract.model.classes or ("a", "b"), chosen)


def _binary() -> Target:
    return Target(
        prediction={
            "probability": {**_SHARE, "description": "Of the positive label"},
            "prediction": {"type": "integer", "enum": [0, 1]},
        },
        facts={"threshold": _THRESHOLD},
        card={"positive_value": _TEXT, "negative_value": _TEXT, "threshold": _THRESHOLD},
        label={"type": ["string", "number", "boolean"], "description": "0 or 1, or the label's own values"},
        example_labels=(1, 0),
    )


def _one_of(classes: tuple[str, ...], chosen: str) -> Target:
    return Target(
        prediction={
            "probability": {**_SHARE, "description": "Of the predicted class"},
            "prediction": {"type": "string", "enum": list(classes), "description": chosen},
            "probabilities": {
                "type": "object",
                "description": "Of each class; they add up to 1",
                "required": list(classes),
                "additionalProperties": False,
                "properties": dict.fromkeys(classes, _SHARE),
            },
        },
        facts={},
        card={"classes": {"type": "array", "items": _TEXT}},
        label={"type": ["string", "number", "boolean"], "description": "A class, as it is written in training's data"},
        example_labels=(classes[0], classes[1]),
    )


def _number(contract: Contract) -> Target:
    limits = {"minimum": contract.model.minimum, "maximum": contract.model.maximum}
    known = {name: limit for name, limit in limits.items() if limit is not None}
    example = known.get("minimum", 0.0)
    return Target(
        prediction={
            "prediction": {**_NUMBER, "description": f"Of {contract.model.target}, in its own unit"},
            "interval": {
                "type": "array",
                "items": _NUMBER,
                "minItems": 2,
                "maxItems": 2,
                "description": "Holds nine labels in ten, as long as rows are like those of training",
            },
        },
        facts={},
        card={"interval_level": _SHARE},
        label={"type": ["string", "number"], "description": "A finite number", **known},
        example_labels=(example, example),
    )
