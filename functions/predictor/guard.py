"""The outermost layer of the API: security headers on every answer, and no failure that tells what it failed on."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from predictor.problems import problem

SECURITY_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]


class Guard:
    """ASGI middleware. `report` gets what nobody expected; the client gets a 500 that says nothing about it."""

    def __init__(self, app: ASGIApp, report: Callable[[Exception], None]) -> None:
        self._app = app
        self._report = report

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                message["headers"] += [header for header in SECURITY_HEADERS if header[0] not in own]
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except Exception as error:  # noqa: BLE001 - anything that escapes would end up in the log with its values
            self._report(error)
            failure = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "the service failed; its operator can see where")
            await failure(scope, receive, guarded)
