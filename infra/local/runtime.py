"""One function in a process of its own, driven through the Lambda Runtime API.

The API is the one that AWS documents for custom runtimes: the process asks for its `next` invocation and posts a
`response` or an `error` (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). In the process runs AWS's own
client, `awslambdaric`. As in Lambda an environment handles one invocation at a time.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, override

API = "/2018-06-01/runtime"
# Lambda gives ten seconds; several cold starts share this machine's processors.
INIT_SECONDS = 120.0
LOG_TAIL_LINES = 25
LOG_STREAM = "local"


@dataclass(frozen=True, kw_only=True)
class FunctionSpec:
    """A function as the template has it: where its code lies, what to call, in which environment, for how long.

    `code` goes on the path in this order, before `packages`, the folder of third-party ones; `timeout` is in seconds.
    """

    name: str
    arn: str
    handler: str
    code: tuple[Path, ...]
    packages: Path
    environment: Mapping[str, str]
    timeout: float
    memory: int
    log_group: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an invocation came to: the answer's JSON, or an object with errorType and errorMessage."""

    payload: bytes
    failed: bool


@dataclass(frozen=True, slots=True)
class _Invocation:
    request_id: str
    event: bytes
    deadline_ms: int


class FunctionRuntime:
    """A function's execution environment: made when first invoked, made anew after a timeout or a crash.

    `account_for` hears of each action that Lambda itself takes with the function's role.
    """

    def __init__(self, spec: FunctionSpec, log: Path, account_for: Callable[[str], object] = lambda _: None) -> None:
        self.spec = spec
        self.log = log
        self._account_for = account_for
        log.unlink(missing_ok=True)
        self._lock = threading.Lock()
        self._environment: _Environment | None = None

    def invoke(self, event: bytes) -> Outcome:
        """Run the handler on a JSON event; waits while another invocation runs."""
        with self._lock:
            environment = self._ready_environment()
            if environment.start_failure is not None:
                return self._discard(environment, environment.start_failure)
            started = time.monotonic()
            outcome = environment.run(event, self.spec.timeout)
            self._report(time.monotonic() - started)
            return outcome if environment.is_alive() else self._discard(environment, outcome)

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        environment, self._environment = self._environment, None
        if environment is not None:
            environment.close()

    @property
    def pid(self) -> int | None:
        """Its process; None where there is none now."""
        environment = self._environment
        return None if environment is None else environment.pid

    def log_tail(self) -> str:
        """The last lines that the function wrote."""
        if not self.log.exists():
            return "(it wrote nothing)"
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:])

    def _report(self, seconds: float) -> None:
        self._account_for("logs:PutLogEvents")
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"REPORT Duration: {seconds * 1000:.1f} ms\n")

    def _ready_environment(self) -> "_Environment":
        if self._environment is None or not self._environment.is_alive():
            self.stop()
            self._account_for("logs:CreateLogStream")
            self._environment = _Environment(self.spec, self.log)
        self._environment.wait_until_ready()
        return self._environment

    def _discard(self, environment: "_Environment", outcome: Outcome) -> Outcome:
        environment.close()
        self._environment = None
        return outcome


class _Environment:
    """A process and the server that it asks for work."""

    def __init__(self, spec: FunctionSpec, log: Path) -> None:
        self._spec = spec
        self._inbox: queue.SimpleQueue[_Invocation | None] = queue.SimpleQueue()
        self._outbox: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._ready = threading.Event()
        self.start_failure: Outcome | None = None
        self._server = _RuntimeServer(self)
        self._process = self._start(log)
        threading.Thread(target=self._watch, daemon=True).start()

    def run(self, event: bytes, timeout: float) -> Outcome:
        """Hand over one event and wait for what comes of it."""
        request_id = str(uuid.uuid4())
        self._inbox.put(_Invocation(request_id, event, int((time.time() + timeout) * 1000)))
        try:
            return self._outbox.get(timeout=timeout)
        except queue.Empty:
            self._process.kill()
            self._process.wait()
            return _failure("Sandbox.Timedout", f"{request_id} Task timed out after {timeout:.2f} seconds")

    def wait_until_ready(self) -> None:
        """Wait until the handler is imported, or isn't going to be."""
        if not self._ready.wait(INIT_SECONDS):
            self.start_failure = _failure("Sandbox.InitTimedout", f"not ready after {INIT_SECONDS:.0f} seconds")

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the process can take another event."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process and its server."""
        self._process.kill()
        self._process.wait()
        self._inbox.put(None)
        self._server.shutdown()
        self._server.server_close()

    def next_invocation(self) -> _Invocation | None:
        """Called by the process once its handler is imported, and after each answer; None when it is to end."""
        self._ready.set()
        return self._inbox.get()

    def answered(self, outcome: Outcome) -> None:
        """Called with the answer of the invocation that runs."""
        self._outbox.put(outcome)

    def could_not_start(self, payload: bytes) -> None:
        """Called with the error that importing the handler raised."""
        self.start_failure = Outcome(payload, failed=True)
        self._ready.set()

    def _start(self, log: Path) -> subprocess.Popen[bytes]:
        # -S leaves out the development environment's own links to this project: what the package lacks is missing here.
        with log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - the function's own handler
                [sys.executable, "-S", "-m", "awslambdaric", self._spec.handler],
                cwd=self._spec.code[0],
                env=self._process_environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    def _process_environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(map(str, [*self._spec.code, self._spec.packages])),
            "LAMBDA_TASK_ROOT": str(self._spec.code[0]),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": self._spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._spec.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": self._spec.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": LOG_STREAM,
            "_HANDLER": self._spec.handler,
            **self._spec.environment,
        }

    def _watch(self) -> None:
        status = self._process.wait()
        ended = _failure("Runtime.ExitError", f"the process ended with status {status}")
        if not self._ready.is_set():
            self.start_failure = self.start_failure or ended
            self._ready.set()
        self._outbox.put(ended)


class _RuntimeServer(ThreadingHTTPServer):
    """The Runtime API of one environment on a free port of this machine."""

    daemon_threads = True

    def __init__(self, environment: _Environment) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeRequest)
        self.environment = environment
        self.spec = environment._spec  # noqa: SLF001 - the two are one thing in two classes
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that was killed in the midst of a call is told by its outcome."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _RuntimeRequest(BaseHTTPRequestHandler):
    """One call of the process."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _RuntimeServer

    def do_GET(self) -> None:
        """Answer `invocation/next`, once there is one."""
        if self.path != f"{API}/invocation/next":
            self._answer(404)
            return
        invocation = self.server.environment.next_invocation()
        if invocation is None:
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.server.spec.arn,
            "Content-Type": "application/json",
        }
        self._answer(200, invocation.event, headers)

    def do_POST(self) -> None:
        """Take a `response`, an `error` or an `init/error`."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == f"{API}/init/error":
            self.server.environment.could_not_start(body)
        elif self.path.endswith(("/response", "/error")):
            self.server.environment.answered(Outcome(body, failed=self.path.endswith("/error")))
        self._answer(202, b'{"status":"OK"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the function's own log is what matters."""

    def _answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _failure(error_type: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": error_type, "errorMessage": message}).encode(), failed=True)
