"""The deployed API, asked with a signature: a server on loopback checks what it receives."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from selfheal_tools.signed_api import CallFailed, CredentialsMissing, SignedApi

KEY, SECRET, REGION = "AKIDEXAMPLE", "for a test alone", "eu-central-1"


class Checking(BaseHTTPRequestHandler):
    """Answers 200 where the signature is that of the request as it came, else 403."""

    protocol_version = "HTTP/1.1"
    connections: set[tuple[str, int]]

    def do_GET(self) -> None:
        """A request without payload."""
        self._answer(b"")

    def do_POST(self) -> None:
        """A request with a payload."""
        self._answer(self.rfile.read(int(self.headers["content-length"])))

    def _answer(self, payload: bytes) -> None:
        Checking.connections.add(self.client_address)
        body = payload or b"nothing"
        self.send_response(200 if self._is_signed(payload) else 403)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _is_signed(self, payload: bytes) -> bool:
        given = self.headers["authorization"]
        names = given.split("SignedHeaders=")[1].split(",")[0].split(";")
        request = AWSRequest(
            self.command,
            f"http://{self.headers['host']}{self.path}",
            {name: self.headers[name] for name in names},
            payload or None,
        )
        request.context["timestamp"] = self.headers["x-amz-date"]
        signer = SigV4Auth(Credentials(KEY, SECRET), "execute-api", REGION)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return str(given).endswith(f"Signature={signer.signature(text, request)}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in (
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_DEFAULT_REGION", REGION),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    Checking.connections = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Checking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_requests_are_signed_as_they_are_sent_over_one_connection(address: str):
    """With a payload and a header of one's own, and without any."""
    with SignedApi(address) as api:
        assert api.send("/predict", b'{"rows": []}', {"idempotency-key": "part 1"}) == (200, '{"rows": []}')
        assert api.send("/model", None, {}) == (200, "nothing")
    assert len(Checking.connections) == 1


def test_another_secret_is_refused(address: str, monkeypatch: pytest.MonkeyPatch):
    """The check of this test can fail."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with SignedApi(address) as api:
        assert api.send("/model", None, {})[0] == 403


def test_a_server_that_is_not_there_and_missing_credentials_are_told(monkeypatch: pytest.MonkeyPatch, address: str):
    """By errors that name what to do."""
    with SignedApi("http://127.0.0.1:9") as api, pytest.raises(CallFailed, match="didn't answer"):
        api.send("/model", None, {})
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with SignedApi(address) as api, pytest.raises(CredentialsMissing, match="aws configure"):
        api.send("/model", None, {})
