"""Functions run by `sam local`: the zips behind `start-api`, and all of them behind `start-lambda`."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from infra.local.errors import LocalCloudError
from infra.local.hosting import AccountFor, Runtime
from infra.local.runtime import LOG_TAIL_LINES, FunctionSpec, Outcome
from infra.local.sam.engine import Engine
from infra.local.sam.images import IMAGE, SAM, ZIPPED, Images, read_template, sam_environment

LOOPBACK = "127.0.0.1"
# A server that has ended is noticed at once; one on a busy machine is waited for.
START_SECONDS, LAYERS_SECONDS, STOP_SECONDS = 600.0, 600.0, 60.0
# What SAM takes part in; it can't resolve references to the rest.
USED = ("AWS::Lambda::", "AWS::ApiGatewayV2::")


class SamHosting:
    """Each function a container that SAM starts when it is first asked, and keeps. `template`: what SAM is given."""

    def __init__(self, engine: Engine, images: Images, work_dir: Path) -> None:
        self.host = engine.gateway()
        self._engine = engine
        self._images = images
        self.template = images.template.with_name("deployed.json")
        self._work_dir = work_dir
        self._lambda_port = _free_port()
        self._functions: dict[str, SamFunction] = {}
        self._started: list[subprocess.Popen[bytes]] = []

    def runtime(self, logical_id: str, spec: FunctionSpec, work_dir: Path, account_for: AccountFor) -> Runtime:  # noqa: ARG002 - SAM writes no log that anybody's role is needed for
        """The function as `start-lambda` serves it."""
        address = f"http://{LOOPBACK}:{self._lambda_port}/2015-03-31/functions/{logical_id}/invocations"
        self._functions[logical_id] = SamFunction(spec, address, work_dir / "start-lambda.log")
        return self._functions[logical_id]

    def open(self, runtimes: Mapping[str, Runtime], now: Callable[[], datetime]) -> str:  # noqa: ARG002 - goes by its own
        """Start both servers; the address of the API."""
        self.template.write_text(json.dumps(self._as_deployed()), encoding="utf-8")
        self._serve("start-lambda", self._lambda_port)
        api_port = _free_port()
        self._serve("start-api", api_port)
        url = f"http://{LOOPBACK}:{api_port}"
        # The first request has SAM make an image of the layers, which no caller should have to wait for.
        httpx.get(f"{url}/health", timeout=LAYERS_SECONDS)
        return url

    def stop(self) -> None:
        """End both servers, which end their containers."""
        for process in self._started:
            process.terminate()
        for process in self._started:
            process.wait(STOP_SECONDS)
        self._started.clear()

    def containers(self) -> dict[str, list[str]]:
        """The ids of the containers that run for each function, by its name."""
        names = {logical_id: function.spec.name for logical_id, function in self._functions.items()}
        form = '{{.ID}} {{.Label "sam.cli.function.name"}}'
        listed = self._engine.docker("ps", "--filter", "label=sam.cli.container.type=lambda", "--format", form)
        found: dict[str, list[str]] = {name: [] for name in names.values()}
        for container, label in (line.split() for line in listed.splitlines()):
            if label in names:
                found[names[label]].append(container)
        return found

    def _as_deployed(self) -> dict[str, Any]:
        """SAM's template with the environments that the deployment gave the functions, from images as Lambda runs."""
        template = read_template(self._images.template)
        kept = {name: item for name, item in template["Resources"].items() if item["Type"].startswith(USED)}
        for name in [name for name, item in kept.items() if "ZipFile" in _code(item)]:
            del kept[name]
        for name, function in self._functions.items():
            kept[name]["Properties"]["Environment"]["Variables"] = dict(function.spec.environment)
            if "ImageUri" in _code(kept[name]):
                kept[name]["Properties"]["Code"]["ImageUri"] = f"{IMAGE}:latest"
        return {"Resources": kept}

    def _serve(self, command: str, port: int) -> None:
        zipped = [name for name, function in self._functions.items() if len(function.spec.code) > 1]
        arguments = [str(SAM), "local", command, "--host", LOOPBACK, "--port", str(port)]
        arguments += ["--template", str(self.template)]
        arguments += ["--warm-containers", "LAZY", "--no-watch", "--skip-pull-image"]
        arguments += ["--layer-cache-basedir", str(self._work_dir / "layers")]
        arguments += [part for name in zipped for part in ("--invoke-image", f"{name}={ZIPPED}:latest")]
        log = self._work_dir / f"{command}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command
                arguments, env=sam_environment(self._engine), stdout=output, stderr=output, cwd=self._work_dir
            )
        self._started.append(process)
        _wait_until_it_listens(process, port, log)


class SamFunction:
    """One function, invoked through `start-lambda`; one invocation at a time, as in one environment of Lambda."""

    def __init__(self, spec: FunctionSpec, address: str, log: Path) -> None:
        self.spec = spec
        self.log = log
        self._address = address
        self._lock = threading.Lock()

    def invoke(self, event: bytes) -> Outcome:
        """Run the handler in its container, which SAM starts where there is none."""
        with self._lock:
            answer = httpx.post(self._address, content=event, timeout=self.spec.timeout + START_SECONDS)
        if not answer.content:
            # SAM ends the container and says so in its log alone.
            return _failure("Sandbox.Timedout", f"{self.spec.name} gave no answer in {self.spec.timeout} seconds")
        return Outcome(answer.content, failed=answer.is_error or "x-amz-function-error" in answer.headers)

    def log_tail(self) -> str:
        """The last lines that SAM wrote, of all functions."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:])

    def stop(self) -> None:
        """SAM ends the container."""


def _code(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    code = resource.get("Properties", {}).get("Code", {})
    return code if isinstance(code, dict) else {}


def _failure(error_type: str, message: str) -> Outcome:
    return Outcome(json.dumps({"errorType": error_type, "errorMessage": message}).encode(), failed=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise LocalCloudError(f"SAM doesn't start:\n{log.read_text(encoding='utf-8')[-2000:]}") from None
            time.sleep(0.2)
        else:
            return
