"""Who may talk to the console: this machine's browser that was given the key, and pages of the console itself.

A page of another site may send requests to 127.0.0.1, and a name that it owns may be made to point there (DNS
rebinding). So the Host header has to be the console's own address, what changes anything has to come from a page of the
console (Origin, and a token in the form), and nothing is shown without the key of the address that was printed: other
users of this machine can reach the port too.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Pages that the service wrote into its stores: their style is inline, and nothing of them may run.
STORED_PAGE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
KEY = "key"
SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Keys:
    """What whoever started the console knows, and what its forms carry; made anew at each start."""

    port: int
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def token(self) -> str:
        """What a form of the console carries."""
        return hmac.new(self.key.encode(), b"form", hashlib.sha256).hexdigest()

    @property
    def cookie(self) -> str:
        """Cookies of one host are shared by all its ports, so that each console has one of its own."""
        return f"selfheal-console-{self.port}"

    @property
    def address(self) -> str:
        """What is opened in a browser."""
        return f"http://127.0.0.1:{self.port}/?{urlencode({KEY: self.key})}"

    @property
    def hosts(self) -> frozenset[str]:
        """The Host headers of the console's own pages."""
        return frozenset({f"127.0.0.1:{self.port}", f"localhost:{self.port}"})

    def is_key(self, given: str | None) -> bool:
        """Whether it is the key."""
        return given is not None and hmac.compare_digest(given.encode(), self.key.encode())

    def is_token(self, given: str | None) -> bool:
        """Whether it is the token of a form."""
        return given is not None and hmac.compare_digest(given.encode(), self.token.encode())


class Guard:
    """ASGI middleware: refuses strangers, and puts headers that browsers hold pages to on every answer."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", CONTENT_SECURITY_POLICY)
            await send(message)

        refused = self._refused(scope)
        await (refused or self._app)(scope, receive, guarded)

    def _refused(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if headers.get("host") not in self._keys.hosts:
            return _no("this console answers to its own address alone")
        if scope["method"] not in SAFE and not self._is_own(headers):
            return _no("this console takes what its own pages send, and nothing else")
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if self._keys.is_key(query.get(KEY)):
            return self._let_in(scope["path"], {name: value for name, value in query.items() if name != KEY})
        cookies = cookie_parser(headers.get("cookie", ""))
        if not self._keys.is_key(cookies.get(self._keys.cookie)):
            return _no("open the address that the console printed when it was started: it holds the key")
        return None

    def _is_own(self, headers: Headers) -> bool:
        origin = headers.get("origin", "")
        is_same_site = headers.get("sec-fetch-site", "same-origin") == "same-origin"
        return is_same_site and origin == f"http://{headers.get('host')}"

    def _let_in(self, path: str, query: Mapping[str, str]) -> Response:
        """The same address without the key, which would stand in histories and referrers."""
        # A path of two slashes would lead to another host.
        target = f"/{path.lstrip('/')}{f'?{urlencode(query)}' if query else ''}"
        answer = RedirectResponse(target, HTTPStatus.SEE_OTHER)
        answer.set_cookie(self._keys.cookie, self._keys.key, httponly=True, samesite="lax")
        return answer


def _no(why: str) -> Response:
    return PlainTextResponse(f"selfheal console: {why}\n", HTTPStatus.FORBIDDEN)
