"""A proxy between the functions and AWS's services that refuses, delays, repeats and swallows calls."""

import http.client
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.soak.weather import Weather

SLOW_SECONDS = 1.0
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
# What is between two neighbours alone.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length"}


@contextmanager
def through(services: str, weather: Weather) -> Iterator[str]:
    """The address of a proxy for the services, on a free port of this machine, as long as the block lasts."""
    proxy = _Proxy(services, weather)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}"
    finally:
        proxy.shutdown()
        proxy.server_close()


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, services: str, weather: Weather) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.weather = weather
        self.services = urlsplit(services).netloc

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed in the midst of a call is no error here."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Call(BaseHTTPRequestHandler):
    """One connection of a function."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Proxy

    def pass_on(self) -> None:
        """One call, with what goes wrong with it."""
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            # The client was killed while it sent: AWS takes no part of an object.
            self.close_connection = True
            return
        fault = self.server.weather.of_call()
        if fault == "refused":
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"Content-Type": "application/xml"}, SLOW_DOWN)
            return
        if fault == "slow":
            time.sleep(self.server.weather.seconds(SLOW_SECONDS))
        if fault == "twice":
            self._done(body)
        status, headers, answer = self._done(body)
        if fault == "unanswered":
            self.close_connection = True
            return
        self._answer(status, headers, answer)

    def __getattr__(self, name: str) -> object:
        """Every method is passed on."""
        if name.startswith("do_"):
            return self.pass_on
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: what was injected is counted."""

    def _done(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        connection = http.client.HTTPConnection(self.server.services, timeout=120)
        try:
            connection.request(self.command, self.path, body, {**headers, "Content-Length": str(len(body))})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        # A HEAD's answer tells a length that nothing follows.
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
