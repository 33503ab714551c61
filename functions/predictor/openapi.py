"""The API's OpenAPI document, with the fields of one contract. Written by hand: answers are made without models."""

from collections.abc import Sequence
from typing import Any

from predictor.explain import MOST_REASONS
from predictor.problems import MEDIA_TYPE
from predictor.targets import target_of
from selfheal.contract import Contract
from selfheal.contract.request import MAXIMUM_ROWS, Row, example_rows, row_json_schema
from selfheal.records.external_ids import MAXIMUM_ID
from selfheal.records.predictions import PREDICTION_ID
from selfheal.usecases.labels.receive import MAXIMUM_LABELS
from selfheal.usecases.serve.explain import MOST_EXPLAINED
from selfheal.usecases.serve.recognise_retry import MAXIMUM_KEY

type Schema = dict[str, Any]

EXAMPLE_ID = "01JNKQ2Z7W3F8V5T0C9XG4H6RM-0000"

_VERSION: Schema = {"type": "string", "description": "The version that answered"}
_LOGGED: Schema = {"type": "boolean", "description": "Whether the prediction log holds this request yet"}
_PREDICTION: dict[str, Schema] = {
    "id": {"type": "string", "maxLength": MAXIMUM_ID, "description": "Your own id of the row, where it had one"},
    "prediction_id": {"type": "string", "pattern": PREDICTION_ID, "description": "What a label refers to later"},
}
_EXPLAINED: Schema = {
    "$ref": "#/components/schemas/Explanation",
    "description": "Why, where it was asked for: exact Shapley values of the model",
}
_REASON: dict[str, Schema] = {
    "feature": {"type": "string"},
    "value": {"type": ["number", "string", "boolean", "null"], "description": "The row's own"},
    "contribution": {"type": "number", "description": "What it adds to the score"},
    "reason": {"type": "string", "description": "The contract's words for it, where it has some"},
}
_EXPLANATION: dict[str, Schema] = {
    "base": {"type": "number", "description": "The score of an average row; of several classes the predicted one's"},
    "score": {"type": "number", "description": "This row's: base + contributions + others"},
    "reasons": {"type": "array", "items": {"$ref": "#/components/schemas/Reason"}},
    "others": {"type": "number", "description": "What all other features add"},
    "unit": {
        "enum": ["log_odds", "probability", "target", "class_score"],
        "description": "Of all these numbers; a forest's are shares of its trees, a regression's the target's, "
        "class_score the predicted class's of several, whose probabilities are the softmax of their scores",
    },
}
_LABEL: dict[str, Schema] = {
    "prediction_id": {"type": "string", "pattern": PREDICTION_ID},
    "id": {
        "type": ["string", "integer"],
        "maxLength": MAXIMUM_ID,
        "description": "Your own id of the row, instead of the prediction's, where the contract has an id_column",
    },
    "label": {},
    "label_timestamp": {
        "type": "string",
        "maxLength": 200,
        "description": "ISO 8601, UTC where it has no zone; when the truth was known. "
        "The newest one wins; without it, it is the moment of the request",
    },
    "source": {"type": "string", "maxLength": 200},
}
_IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": MAXIMUM_KEY},
    "description": "Within two days, a retry with the same key and body is the same request: the same prediction ids, "
    "or the same labels as of the same moment",
}
_EXPLAIN: Schema = {
    "name": "explain",
    "in": "query",
    "required": False,
    "schema": {"type": "integer", "minimum": 1, "maximum": MOST_REASONS},
    "description": "Ask why: for each row so many features that moved its answer most. At most "
    f"{MOST_EXPLAINED} rows a request",
}
_PACKING = "As it is, or packed with gzip (Content-Encoding: gzip); at most five megabytes, unpacked"
_PROBLEM: dict[str, Schema] = {
    "type": {"type": "string", "format": "uri-reference"},
    "title": {"type": "string"},
    "status": {"type": "integer"},
    "detail": {"type": "string"},
    "errors": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["field", "message"],
            "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
        },
    },
}


def document(contract: Contract, typical: Sequence[Row] = ()) -> Schema:
    """The whole document, OpenAPI 3.1; `typical` rows are shown as examples."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": contract.model.name,
            "version": "1",
            "description": f"Predicts {contract.model.target}. Every prediction is logged; true labels may follow.",
        },
        "paths": {
            "/predict": {"post": _predict(example_rows(contract, typical))},
            "/labels": {"post": _labels(contract)},
            "/model": {"get": _get("The production model", "ModelCard", 503)},
            "/health": {"get": _get("Whether the service can answer", "Health", 503)},
        },
        "components": {"schemas": _schemas(contract)},
    }


def _predict(rows: Sequence[Row]) -> Schema:
    answer = {"oneOf": [_reference("Answer"), _reference("Answers")]}
    return {
        "operationId": "predict",
        "summary": "Predict one row or many",
        "parameters": [_IDEMPOTENCY_KEY, _EXPLAIN],
        "requestBody": _body(
            {"oneOf": [_reference("Row"), _reference("Rows")]}, {"one row": rows[0], "many rows": {"rows": rows}}
        ),
        "responses": {"200": _response("Predicted", answer), **_problems(409, 413, 415, 422, 500, 503)},
    }


def _labels(contract: Contract) -> Schema:
    first, second = target_of(contract).example_labels
    known = {"prediction_id": EXAMPLE_ID, "label": first, "label_timestamp": "2026-01-31T12:00:00Z"}
    key = {"prediction_id": f"{EXAMPLE_ID[:-1]}1"} if contract.model.id_column is None else {"id": "L-4711"}
    labels = {"labels": [known, {**key, "label": second}]}
    return {
        "operationId": "labels",
        "summary": "Send true labels of earlier predictions",
        "parameters": [_IDEMPOTENCY_KEY],
        "requestBody": _body(_reference("Labels"), {"labels": labels}),
        "responses": {"202": _response("Taken", _reference("Receipt")), **_problems(413, 415, 422, 500, 503)},
    }


def _get(summary: str, schema: str, *statuses: int) -> Schema:
    responses = {"200": _response(summary, _reference(schema)), **_problems(500, *statuses)}
    return {"operationId": schema, "summary": summary, "responses": responses}


def _body(schema: Schema, examples: dict[str, Any]) -> Schema:
    named = {name: {"value": value} for name, value in examples.items()}
    return {
        "description": _PACKING,
        "required": True,
        "content": {"application/json": {"schema": schema, "examples": named}},
    }


def _response(description: str, schema: Schema, media_type: str = "application/json") -> Schema:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _problems(*statuses: int) -> dict[str, Schema]:
    told = {
        409: "This version can't say why it answers as it does",
        413: "Too much for one request",
        415: "Packed in another way than gzip",
        422: "Fields don't match the contract",
        500: "A failure nobody expected",
        503: "No model yet, or no store",
    }
    return {str(status): _response(told[status], _reference("Problem"), MEDIA_TYPE) for status in statuses}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas(contract: Contract) -> dict[str, Schema]:
    target, explained = target_of(contract), ("id", "explanation")
    prediction = {**_PREDICTION, **target.prediction, "explanation": _EXPLAINED}
    facts = {"model_version": _VERSION, **target.facts, "logged": _LOGGED}
    text, moment = {"type": "string"}, {"type": "string", "format": "date-time"}
    card = {
        "model_version": text,
        "name": text,
        "target": text,
        **target.card,
        "created_at": moment,
        "promoted_at": moment,
        "previous_version": {"type": ["string", "null"]},
        "metrics": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
        "features": {"type": "array", "items": text},
    }
    return {
        "Row": row_json_schema(contract),
        "Rows": _closed({"rows": _list(_reference("Row"), MAXIMUM_ROWS)}),
        "Prediction": _closed(prediction, optional=explained),
        "Answer": _closed({**prediction, **facts}, optional=explained),
        "Answers": _closed({**facts, "predictions": _list(_reference("Prediction"), MAXIMUM_ROWS)}),
        "Reason": _closed(_REASON, optional=("reason",)),
        "Explanation": _closed(_EXPLANATION),
        "Label": {
            **_closed({**_LABEL, "label": target.label}, optional=("prediction_id", "id", "label_timestamp", "source")),
            "anyOf": [{"required": ["prediction_id"]}, {"required": ["id"]}],
        },
        "Labels": _closed({"labels": _list(_reference("Label"), MAXIMUM_LABELS)}),
        "Receipt": _closed({"schema_version": {"type": "integer"}, "upload": text, "rows": {"type": "integer"}}),
        "ModelCard": _closed(card),
        "Health": _closed({"status": {"type": "string", "enum": ["ok", "stale"]}, "model_version": text}),
        "Problem": _closed(_PROBLEM, optional=("errors",)),
    }


def _closed(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


def _list(items: Schema, maximum: int) -> Schema:
    return {"type": "array", "minItems": 1, "maxItems": maximum, "items": items}
