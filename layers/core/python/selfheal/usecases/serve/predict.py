"""Answer a request: evaluate every row, and log all of them durably before anybody sees the answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import repeat
from typing import Any, cast

from selfheal.contract.request import Rows
from selfheal.errors import StoreUnavailable
from selfheal.records.predictions import Prediction, moment_of, new_request_id, prediction_id, timestamp_of
from selfheal.replay import replay_lines
from selfheal.stores.prediction_log import PredictionLog, to_lines
from selfheal.usecases.serve.answering import answering
from selfheal.usecases.serve.production_model import ServedModel


@dataclass(frozen=True, slots=True)
class Answer:
    """An answered request; where the log couldn't be written, `replay` holds the lines that make up for it."""

    model_version: str
    threshold: float
    predictions: Sequence[Prediction]
    replay: tuple[str, ...] = ()

    @property
    def logged(self) -> bool:
        """Whether the log holds the predictions."""
        return not self.replay


def predict(
    model: ServedModel, log: PredictionLog, rows: Rows, *, now: datetime, request_id: str | None = None
) -> Answer:
    """Answer and log one request. The log being down doesn't stop the answer.

    `request_id` is that of an earlier attempt where this may be a retry: what that one logged is the answer then.
    """
    identifier = new_request_id(now) if request_id is None else request_id
    predictions = predictions_of(model, identifier, rows)
    answer = Answer(model.version, model.evaluator.threshold, predictions)
    try:
        is_first = log.append(identifier, predictions)
    except StoreUnavailable:
        return replace(answer, replay=tuple(replay_lines(identifier, to_lines(predictions))))
    return answer if is_first or request_id is None else answer_of(model, log.read(identifier))


def answer_of(model: ServedModel, predictions: Sequence[Prediction]) -> Answer:
    """The answer that predictions were given as, by this version of the model or another one."""
    version = predictions[0]["model_version"]
    return Answer(version, model.threshold_of(version), predictions)


def predictions_of(model: ServedModel, request_id: str, rows: Rows) -> list[Prediction]:
    """What a model says of each row, under the ids of a request."""
    # The id's own moment, so that a row's timestamp lies in the hour under which it is logged.
    timestamp = timestamp_of(moment_of(request_id))
    version, answered = model.version, answering(model.manifest, model.evaluator.threshold)
    identifiers = [prediction_id(request_id, row) for row in range(len(rows.values))]
    own_ids = rows.ids or repeat(None, len(identifiers))
    made: list[Any] = [
        {
            "prediction_id": identifier,
            "id": own_id,
            "timestamp": timestamp,
            "model_version": version,
            **answered(value),
            "features": row,
        }
        for identifier, own_id, value, row in zip(
            identifiers, own_ids, _probabilities(model, rows), rows.values, strict=True
        )
    ]
    return made


def _probabilities(model: ServedModel, rows: Rows) -> list[Any]:
    if rows.columns is None:
        return model.evaluator.probabilities(rows.values)
    return cast("list[Any]", model.evaluator.probabilities_of(rows.columns).tolist())
