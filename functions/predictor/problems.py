"""Every error of the API in one shape: problem details for HTTP APIs (RFC 9457)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from selfheal.errors import (
    BodyTooLarge,
    CallerUnknown,
    EncodingUnknown,
    FieldFault,
    KeyReused,
    NoProductionModel,
    ReasonsUnavailable,
    RequestInvalid,
    SelfhealError,
)

MEDIA_TYPE = "application/problem+json"

# What a client may be told of our own errors; any other one is a 503 with a sentence that gives nothing away.
TOLD: dict[type[SelfhealError], HTTPStatus] = {
    RequestInvalid: HTTPStatus.UNPROCESSABLE_CONTENT,
    KeyReused: HTTPStatus.UNPROCESSABLE_CONTENT,
    CallerUnknown: HTTPStatus.UNPROCESSABLE_CONTENT,
    BodyTooLarge: HTTPStatus.CONTENT_TOO_LARGE,
    EncodingUnknown: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    NoProductionModel: HTTPStatus.SERVICE_UNAVAILABLE,
    ReasonsUnavailable: HTTPStatus.CONFLICT,
}
UNTOLD = "the service can't reach or read its store; try again in a moment"


def problem(status: HTTPStatus, detail: str, faults: Sequence[FieldFault] = ()) -> Response:
    """A problem document; `errors` is there where fields are at fault."""
    content: dict[str, Any] = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    if faults:
        content["errors"] = [{"field": fault.field, "message": fault.message} for fault in faults]
    return Response(orjson.dumps(content), status.value, media_type=MEDIA_TYPE)


def problem_of(error: SelfhealError) -> Response:
    """The problem document of one of our own errors."""
    status = TOLD.get(type(error))
    if status is None:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, UNTOLD)
    return problem(status, str(error), error.faults if isinstance(error, RequestInvalid) else ())
