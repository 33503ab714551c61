"""Answer a request where a stream is the log: it can't be read back, so that a retry is answered from its claim."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from selfheal.contract.request import Rows
from selfheal.errors import StoreUnavailable
from selfheal.records.claims import Claim
from selfheal.records.predictions import Prediction
from selfheal.replay import replay_lines
from selfheal.stores.prediction_log import to_lines
from selfheal.stores.stream import Stream
from selfheal.usecases.serve.predict import Answer, answer_of, predictions_of
from selfheal.usecases.serve.production_model import ServedModel

type First = Callable[[Claim], Claim]


def predict_streamed(model: ServedModel, stream: Stream, rows: Rows, request_id: str) -> Answer:
    """Answer and log a new request. The stream being down doesn't stop the answer."""
    return _logged(model, stream, request_id, predictions_of(model, request_id, rows))


def predict_claimed(model: ServedModel, stream: Stream, rows: Rows, claim: Claim, first: First) -> Answer:
    """The same for a request that may be a retry: `first` tells whose claim stands, with what that was answered.

    Each attempt hands its lines to the stream, since an earlier one may have ended before it did; readers drop what is
    there twice. A claim without answers is from before there was a stream: it is answered anew under the same ids.

    Raises:
        RequestInvalid, KeyReused: see `recognise_retry`.
    """
    made = predictions_of(model, claim.request_id, rows)
    stands = first(claim.model_copy(update={"predictions": tuple(made)}))
    if stands.predictions is None:
        return predict_streamed(model, stream, rows, stands.request_id)
    return _logged(model, stream, stands.request_id, cast("list[Prediction]", list(stands.predictions)))


def _logged(model: ServedModel, stream: Stream, request_id: str, predictions: list[Prediction]) -> Answer:
    answer, lines = answer_of(model, predictions), to_lines(predictions)
    try:
        stream.put(lines.splitlines())
    except StoreUnavailable:
        return replace(answer, replay=tuple(replay_lines(request_id, lines)))
    return answer
