"""`python -m tests.benchmarks.refusals.store PORT FOLDER`: a stand-in for S3 and Firehose that refuses some calls.

It knows what a predictor asks for: objects of a folder, writes, and batches of a stream; of these it keeps how often
each key or request came. `GET /written` tells that, `GET /refuse/0.1` has it refuse a tenth of the calls to come. A
refusal is S3's own, or a batch of which Firehose takes nothing.
"""

import base64
import json
import random
import sys
from collections import Counter
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class Store(ThreadingHTTPServer):
    """What is there, and how much of what is asked for is refused."""

    def __init__(self, port: int, folder: Path) -> None:
        super().__init__(("127.0.0.1", port), Refusing)
        self.folder = folder
        self.share = 0.0
        self.rng = random.Random(0)
        self.written: Counter[str] = Counter()


class Refusing(BaseHTTPRequestHandler):
    """One connection of a predictor."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet
    server: Store

    def do_GET(self) -> None:
        """An object, or one of the two questions."""
        if self.path == "/written":
            self._answer(HTTPStatus.OK, json.dumps(self.server.written).encode())
        elif self.path.startswith("/refuse/"):
            self.server.share = float(self.path.rsplit("/", 1)[-1])
            self._answer(HTTPStatus.OK, b"")
        elif not self._is_refused():
            file = self.server.folder / self.path.partition("registry/")[2]
            body = file.read_bytes() if file.is_file() else b"<Error><Code>NoSuchKey</Code></Error>"
            self._answer(HTTPStatus.OK if file.is_file() else HTTPStatus.NOT_FOUND, body)

    def do_PUT(self) -> None:
        """A write."""
        self.rfile.read(int(self.headers["Content-Length"]))
        if not self._is_refused():
            self.server.written[self.path] += 1
            self._answer(HTTPStatus.OK, b"")

    def do_POST(self) -> None:
        """A batch of records for a stream."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        taken = self.server.rng.random() >= self.server.share
        for record in body["Records"]:
            for line in base64.b64decode(record["Data"]).splitlines() if taken else ():
                self.server.written[json.loads(line)["prediction_id"].partition("-")[0]] += 1
        response = {"RecordId": "r"} if taken else {"ErrorCode": "ServiceUnavailableException"}
        told = [response] * len(body["Records"])
        answer = {"FailedPutCount": 0 if taken else len(told), "RequestResponses": told}
        self._answer(HTTPStatus.OK, json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Nothing: the predictor's process is what is measured."""

    def _is_refused(self) -> bool:
        refused = self.server.rng.random() < self.server.share
        if refused:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, SLOW_DOWN)
        return refused

    def _answer(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("ETag", '"e"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()


if __name__ == "__main__":
    Store(int(sys.argv[1]), Path(sys.argv[2])).serve_forever()
