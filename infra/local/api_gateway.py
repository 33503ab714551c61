"""The HTTP front: requests on 127.0.0.1 become HTTP API events of payload format 2.0, and answers become responses.

Both shapes are documented at
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html.
Signatures aren't checked here: locally the API is open.
"""

import base64
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.local.runtime import Outcome

API_ID = "local"
INTERNAL_ERROR = {"statusCode": 500, "body": '{"message":"Internal Server Error"}'}
TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml", "application/problem+json")

type Invoke = Callable[[bytes], Outcome]


class HttpFront(ThreadingHTTPServer):
    """An HTTP API on a free port; every request goes to the integration of the `$default` route."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, invoke: Invoke, now: Callable[[], datetime]) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.invoke = invoke
        self.now = now
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        """Take no more requests."""
        self.shutdown()
        self.server_close()


class _Request(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: HttpFront

    def answer(self) -> None:
        """Turn one request into an event and the function's answer into a response."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): ",".join(self.headers.get_all(name, [])) for name in self.headers}
        event = http_event(self.command, self.path, headers, body, self.server.now())
        outcome = self.server.invoke(json.dumps(event).encode())
        self._respond(INTERNAL_ERROR if outcome.failed else _structured(json.loads(outcome.payload)))

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Whatever the method: the application says which ones it answers."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def _respond(self, answer: Mapping[str, Any]) -> None:
        text = answer.get("body") or ""
        body = base64.b64decode(text) if answer.get("isBase64Encoded") else text.encode()
        self.send_response(int(answer["statusCode"]))
        for name, value in {"content-type": "application/json", **_lower(answer.get("headers", {}))}.items():
            if name != "content-length":
                self.send_header(name, str(value))
        for cookie in answer.get("cookies", []):
            self.send_header("set-cookie", cookie)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def http_event(method: str, target: str, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, Any]:
    """The event of payload format 2.0 for a request; header names are lower-case."""
    url = urlsplit(target)
    path = unquote(url.path)
    others = {name: value for name, value in headers.items() if name != "cookie"}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": url.query,
        "headers": others,
        "requestContext": _context(method, path, headers, now),
        **_body(headers.get("content-type", ""), body),
    }
    if "cookie" in headers:
        event["cookies"] = headers["cookie"].split("; ")
    if url.query:
        event["queryStringParameters"] = _parameters(url.query)
    return event


def _context(method: str, path: str, headers: Mapping[str, str], now: datetime) -> dict[str, Any]:
    return {
        "accountId": "anonymous",
        "apiId": API_ID,
        "domainName": headers.get("host", "127.0.0.1"),
        "domainPrefix": API_ID,
        "http": {
            "method": method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": str(uuid.uuid4()),
        "routeKey": "$default",
        "stage": "$default",
        "time": f"{now:%d/%b/%Y:%H:%M:%S +0000}",
        "timeEpoch": int(now.timestamp() * 1000),
    }


def _body(content_type: str, body: bytes) -> dict[str, Any]:
    if not body:
        return {"isBase64Encoded": False}
    if content_type.startswith(TEXT_TYPES):
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def _parameters(query: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _structured(answer: Any) -> Mapping[str, Any]:
    # An answer without a status is the body of a 200.
    if isinstance(answer, dict) and "statusCode" in answer:
        return answer
    return {"statusCode": 200, "body": json.dumps(answer)}


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
