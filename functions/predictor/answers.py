"""The shapes of the API's answers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from selfheal.records.predictions import Prediction
from selfheal.usecases.serve.predict import Answer
from selfheal.usecases.serve.production_model import ServedModel

if TYPE_CHECKING:
    from selfheal.usecases.serve.explain import Explanation


def answer_body(answer: Answer, *, many: bool, why: "Sequence[Explanation]" = ()) -> dict[str, Any]:
    """Many rows: the request's facts and a list of predictions. One row: all of it in one object."""
    facts = {"model_version": answer.model_version, "threshold": answer.threshold, "logged": answer.logged}
    answered = [_prediction(prediction) for prediction in answer.predictions]
    if why:
        answered = [{**one, "explanation": _explanation(of)} for one, of in zip(answered, why, strict=True)]
    return {**facts, "predictions": answered} if many else {**answered[0], **facts}


def _prediction(prediction: Prediction) -> dict[str, Any]:
    own = {} if prediction.get("id") is None else {"id": prediction["id"]}
    return {
        **own,
        "prediction_id": prediction["prediction_id"],
        "probability": prediction["probability"],
        "prediction": prediction["prediction"],
    }


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
        "positive_value": manifest.positive_value,
        "negative_value": manifest.negative_value,
        "threshold": model.evaluator.threshold,
        "created_at": manifest.created_at,
        "promoted_at": pointer.promoted_at,
        "previous_version": pointer.previous_version,
        "metrics": manifest.metrics,
        "features": list(manifest.contract.feature_names),
    }
