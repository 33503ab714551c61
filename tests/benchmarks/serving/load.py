"""Requests per second over loopback, each server one process, each connection one request at a time."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.environments import environment
from tests.benchmarks.serving.contestants import Contestant, fitted
from tests.benchmarks.serving.material import FOLDER, Material
from tests.benchmarks.serving.store import free_port, wait_for

SECONDS = 4.0
CONNECTIONS = (1, 8)


def requests_per_second(port: int, path: str, body: Any, seconds: float = SECONDS) -> dict[int, float]:
    """Answered requests per second by number of connections, after a second of warming up."""
    payload = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(payload)}\r\n\r\n".encode() + payload
    asyncio.run(_rate(port, request, 1, 1.0))
    return {connections: asyncio.run(_rate(port, request, connections, seconds)) for connections in CONNECTIONS}


async def _rate(port: int, request: bytes, connections: int, seconds: float) -> float:
    started = time.perf_counter()
    counts = await asyncio.gather(*(_ask(port, request, started + seconds) for _ in range(connections)))
    return sum(counts) / (time.perf_counter() - started)


async def _ask(port: int, request: bytes, until: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = 0
    while time.perf_counter() < until:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(head.decode())
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        answered += 1
    writer.close()
    await writer.wait_closed()
    return answered


@contextmanager
def served(command: list[str], port: int, environ: Mapping[str, str]) -> Iterator[int]:
    """A server on a port, as long as the block lasts."""
    with (FOLDER / "server.log").open("ab") as log:
        server = subprocess.Popen(
            command, env=dict(environ), stdout=log, stderr=log, cwd=FOLDER, start_new_session=True
        )
        try:
            wait_for(port)
            yield port
        finally:
            os.killpg(server.pid, 15)
            server.wait()


@contextmanager
def under_uvicorn(contestant: Contestant, python: Path) -> Iterator[int]:
    """A contestant's application under uvicorn from an environment that has it."""
    port = free_port()
    command = [str(python), "-m", "uvicorn", f"{contestant.module}:app", "--port", str(port), "--no-access-log"]
    with served(command, port, contestant.environ):
        yield port


@contextmanager
def mlflow(material: Material) -> Iterator[int]:
    """`mlflow models serve`, one worker. Raises NotInstallable."""
    python = environment("mlflow", "mlflow", "scikit-learn", "pandas", "uvicorn")
    model, port = fitted(python, material, "mlflow", FOLDER / "mlflow-model"), free_port()
    command = [str(python.parent / "mlflow"), "models", "serve", "-m", str(model), "--env-manager", "local"]
    environ = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    with served([*command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"], port, environ):
        yield port


@contextmanager
def bentoml(material: Material) -> Iterator[int]:
    """`bentoml serve`, one worker. Raises NotInstallable."""
    python = environment("bentoml", "bentoml", "scikit-learn", "pandas")
    home, port = {"BENTOML_HOME": str(FOLDER / "bentoml"), "BENTOML_DO_NOT_TRACK": "true"}, free_port()
    fitted(python, material, "bentoml", FOLDER / "bentoml", **home)
    environ = {**os.environ, **home, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(material.programs)}
    command = [str(python.parent / "bentoml"), "serve", "bento_service:Peer", "--host", "127.0.0.1"]
    with served([*command, "--port", str(port)], port, environ):
        yield port
