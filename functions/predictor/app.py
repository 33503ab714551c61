"""The API: FastAPI routes that parse a request, call one use case and shape its answer."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from predictor.answers import answer_body, model_card
from predictor.body import json_text
from predictor.caller import caller_of
from predictor.guard import Guard
from predictor.problems import problem, problem_of
from predictor.telemetry import Telemetry
from selfheal.contract import Contract, default_contract
from selfheal.contract.request import Row, Rows
from selfheal.errors import NoProductionModel, SelfhealError
from selfheal.records.predictions import new_request_id
from selfheal.stores.collection import Stores
from selfheal.usecases.serve.predict import Answer, predict
from selfheal.usecases.serve.production_model import ProductionModel, ServedModel

if TYPE_CHECKING:
    from selfheal.labels.terms import LabelTerms
    from selfheal.stores.stream import Stream
    from selfheal.usecases.serve.explain import Explanation

type Clock = Callable[[], datetime]


class Api:
    """The endpoints over one set of stores; `model` is kept between requests."""

    def __init__(self, stores: Stores, model: ProductionModel, clock: Clock, telemetry: Telemetry) -> None:
        self._stores = stores
        self._model = model
        self._clock = clock
        self._telemetry = telemetry

    async def predict(self, request: Request) -> Response:
        """POST /predict."""
        body = await _body(request)
        model = self._current()
        rows = model.rows.parse(body)
        reasons = _reasons_asked(request, model, len(rows.values))
        answer = self._answered(request, body, model, rows)
        if answer.replay:
            self._telemetry.unlogged(answer.replay, len(rows.values))
        return _json(answer_body(answer, many=rows.many, why=_explained(model, answer, reasons)))

    async def labels(self, request: Request) -> Response:
        """POST /labels."""
        # Rare, so not part of a cold start.
        from selfheal.usecases.labels.receive import check_labels, label_rows, receive_labels

        body, now = await _body(request), self._clock()
        rows = label_rows(body)
        if (terms := self._label_terms()) is not None:
            check_labels(rows, terms, now)
        attempt = self._earlier_attempt(request, body, len(rows), now) or new_request_id(now)
        received = receive_labels(self._stores.labels, rows, attempt)
        return _json(received.model_dump(mode="json"), HTTPStatus.ACCEPTED)

    async def model(self) -> Response:
        """GET /model."""
        return _json(model_card(self._current()))

    async def health(self) -> Response:
        """GET /health."""
        model = self._current()
        return _json({"status": "ok" if self._model.problem is None else "stale", "model_version": model.version})

    async def openapi(self) -> Response:
        """GET /openapi.json."""
        from predictor.openapi import document

        return _json(document(*self._documented()))

    async def docs(self) -> Response:
        """GET /docs."""
        from predictor.docs_page import CONTENT_SECURITY_POLICY, page
        from predictor.openapi import document

        headers = {"content-security-policy": CONTENT_SECURITY_POLICY}
        return HTMLResponse(page(document(*self._documented())), headers=headers)

    def _answered(self, request: Request, body: bytes, model: ServedModel, rows: Rows) -> Answer:
        now, stream = self._clock(), self._stores.stream
        if stream is not None:
            return self._streamed(request, body, model, rows, stream, now)
        attempt = self._earlier_attempt(request, body, len(rows.values), now)
        return predict(model, self._stores.prediction_log, rows, now=now, request_id=attempt)

    def _streamed(
        self, request: Request, body: bytes, model: ServedModel, rows: Rows, stream: "Stream", now: datetime
    ) -> Answer:
        from selfheal.usecases.serve.predict_streamed import predict_claimed, predict_streamed

        key = request.headers.get("idempotency-key")
        if key is None:
            return predict_streamed(model, stream, rows, new_request_id(now))
        from selfheal.usecases.serve.recognise_retry import claim_of, first_claim

        claim = claim_of(body, rows=len(rows.values), now=now)
        first = partial(first_claim, self._stores.idempotency, caller_of(request.scope), key)
        return predict_claimed(model, stream, rows, claim, first)

    def _earlier_attempt(self, request: Request, body: bytes, rows: int, now: datetime) -> str | None:
        key = request.headers.get("idempotency-key")
        if key is None:
            return None
        from selfheal.usecases.serve.recognise_retry import recognise_retry  # only for those who ask for it

        return recognise_retry(self._stores.idempotency, caller_of(request.scope), key, body, rows=rows, now=now)

    def _current(self) -> ServedModel:
        known = self._model.problem
        model = self._model.current(self._clock())
        if self._model.problem not in (None, known):
            self._telemetry.stale(self._model.problem)
        return model

    def _label_terms(self) -> "LabelTerms | None":
        """What labels have to be; None where that can't be known now: they are checked again when they are taken in."""
        from selfheal.labels.terms import BEFORE_THE_FIRST_MODEL, terms_of

        try:
            return terms_of(self._current().manifest)
        except NoProductionModel:
            return BEFORE_THE_FIRST_MODEL
        except SelfhealError:
            return None

    def _documented(self) -> tuple[Contract, Sequence[Row]]:
        """The production contract and typical rows; the default one where no model can be had, to be read before."""
        try:
            manifest = self._current().manifest
        except SelfhealError:
            return default_contract(), ()
        return manifest.contract, manifest.examples


def _reasons_asked(request: Request, model: ServedModel, rows: int) -> int:
    """How many reasons a request asks for, 0 where it asks for none. Nothing is answered yet."""
    if not request.scope["query_string"]:
        return 0
    from predictor.explain import reasons_asked  # only for those who ask for it

    return reasons_asked(request.query_params, model, rows)


def _explained(model: ServedModel, answer: Answer, reasons: int) -> "Sequence[Explanation]":
    if not reasons:
        return ()
    from selfheal.usecases.serve.explain import explained

    return explained(model, answer, reasons)


def create_app(stores: Stores, model: ProductionModel, clock: Clock, telemetry: Telemetry) -> FastAPI:
    """The application; nothing is read before the first request."""
    api = Api(stores, model, clock, telemetry)
    app = FastAPI(title="selfheal", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(Guard, report=telemetry.failed)
    app.post("/predict")(api.predict)
    app.post("/labels")(api.labels)
    app.get("/model")(api.model)
    app.get("/health")(api.health)
    app.get("/openapi.json")(api.openapi)
    app.get("/docs")(api.docs)
    app.add_exception_handler(SelfhealError, _refused)
    app.add_exception_handler(HTTPException, _unroutable)
    return app


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, SelfhealError)  # noqa: S101 - registered for that class
    return problem_of(error)


async def _unroutable(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for that class
    response = problem(HTTPStatus(error.status_code), f"see /docs for what this API answers ({error.detail})")
    response.headers.update(error.headers or {})
    return response


async def _body(request: Request) -> bytes:
    return json_text(await request.body(), request.headers.get("content-encoding", ""))


def _json(content: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(content), status.value, media_type="application/json")
