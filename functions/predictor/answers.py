"""The shapes of the API's answers."""

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

from selfheal.records.manifest import INTERVAL_LEVEL
from selfheal.records.predictions import Prediction
from selfheal.usecases.serve.predict import Answer
from selfheal.usecases.serve.production_model import ServedModel

if TYPE_CHECKING:
    from selfheal.usecases.serve.explain import Explanation


# What a prediction says, in this order; which of it depends on the kind of target.
ANSWER: tuple[Literal["probability", "prediction", "probabilities", "interval"], ...] = (
    "probability",
    "prediction",
    "probabilities",
    "interval",
)


def answer_body(answer: Answer, *, many: bool, why: "Sequence[Explanation]" = ()) -> dict[str, Any]:
    """Many rows: the request's facts and a list of predictions. One row: all of it in one object."""
    facts = {"model_version": answer.model_version, **_threshold(answer.threshold), "logged": answer.logged}
    answered = [_prediction(prediction) for prediction in answer.predictions]
    if why:
        answered = [{**one, "explanation": _explanation(of)} for one, of in zip(answered, why, strict=True)]
    return {**facts, "predictions": answered} if many else {**answered[0], **facts}


def _prediction(prediction: Prediction) -> dict[str, Any]:
    own = {} if prediction.get("id") is None else {"id": prediction["id"]}
    return {
        **own,
        "prediction_id": prediction["prediction_id"],
        **{name: prediction[name] for name in ANSWER if prediction.get(name) is not None},
    }


def _threshold(threshold: float) -> dict[str, float]:
    """The operating point, where the target has one."""
    return {} if isnan(threshold) else {"threshold": threshold}


def _explanation(explanation: "Explanation") -> dict[str, Any]:
    return {
        "base": explanation.base,
        "score": explanation.score,
        "reasons": [
            {
                "feature": reason.feature,
                "value": reason.value,
                "contribution": reason.contribution,
                **({"reason": reason.words} if reason.words else {}),
            }
            for reason in explanation.reasons
        ],
        "others": explanation.others,
        "unit": explanation.unit,
    }


def model_card(model: ServedModel) -> dict[str, Any]:
    """What GET /model tells about the production model."""
    manifest, pointer = model.manifest, model.read.pointer
    return {
        "model_version": manifest.version,
        "name": manifest.contract.model.name,
        "target": manifest.contract.model.target,
        **_target(model),
        "created_at": manifest.created_at,
        "promoted_at": pointer.promoted_at,
        "previous_version": pointer.previous_version,
        "metrics": manifest.metrics,
        "features": list(manifest.contract.feature_names),
    }


def _target(model: ServedModel) -> dict[str, Any]:
    """What its answers mean."""
    manifest = model.manifest
    if manifest.contract.model.task == "multiclass":
        return {"classes": manifest.contract.model.classes}
    if manifest.contract.model.task == "regression":
        return {"interval_level": INTERVAL_LEVEL}
    return {
        "positive_value": manifest.positive_value,
        "negative_value": manifest.negative_value,
        "threshold": model.evaluator.threshold,
    }
