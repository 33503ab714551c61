"""The whole service over HTTP, logging on: requests a second of many connections, and whether an answer was lost.

Two processes of the deployed predictor under uvicorn over a stand-in for S3 and Firehose, and who asks, share the
machine's processors: a figure of this machine, not of Lambda. Once each with a log by objects, by a stream, and by a
stream that refuses every tenth batch.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np

from selfheal.replay import replayed
from tests.benchmarks.environments import ROOT
from tests.benchmarks.refusals.stand_in import STREAM, settings, stand_in
from tests.benchmarks.serving.store import free_port, wait_for
from tests.support.serving import ROW

REQUESTS, CONNECTIONS, WORKERS = 200_000, 64, 2
SHARE = 0.1
WAYS = {"objects": ("", 0.0), "stream": (STREAM, 0.0), "refusing stream": (STREAM, SHARE)}


def loads(requests: int) -> dict[str, Any]:
    """The figures of the log by objects, how many predictions were lost in all, and the three ways' own figures."""
    found = {name: load(stream, share, requests) for name, (stream, share) in WAYS.items()}
    return {**found["objects"], "lost": sum(each["lost"] for each in found.values()), "ways": found}


def load(stream: str, share: float, requests: int) -> dict[str, Any]:
    """Requests a second, their times in milliseconds, and how many answers are neither logged nor replayable."""
    with tempfile.TemporaryDirectory() as folder, stand_in() as address:
        log = Path(folder) / "service.log"
        with _service(address, stream, log) as port:
            urlopen(f"{address}/refuse/{share}").close()  # noqa: S310 - on this machine
            started = time.perf_counter()
            answers = asyncio.run(_ask_all(port, requests))
            seconds = time.perf_counter() - started
        with urlopen(f"{address}/written") as answer:  # noqa: S310 - on this machine
            written = {name.rsplit("/", 1)[-1].removesuffix(".jsonl") for name in json.load(answer)}
        replayable = {request.request_id for request in replayed(log.read_text().splitlines()) if request.body}
    times = [milliseconds for _, milliseconds in answers]
    asked = {key.partition("-")[0] for key, _ in answers}
    return {
        "answered": len(asked),
        "lost": len(asked - written - replayable),
        "replayable": len(replayable),
        "requests_per_second": requests / seconds,
        "p50_ms": float(np.median(times)),
        "p99_ms": float(np.quantile(times, 0.99)),
    }


@contextmanager
def _service(address: str, stream: str, log: Path) -> Iterator[int]:
    port = free_port()
    environ = {**os.environ, **settings(address), "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"}
    environ |= {"SELFHEAL_PREDICTION_STREAM": stream} if stream else {}
    command = [sys.executable, "-m", "uvicorn", "tests.benchmarks.scale.service:app", "--port", str(port)]
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*command, "--workers", str(WORKERS), "--no-access-log"], env=environ, cwd=ROOT, stdout=out
        )
        try:
            wait_for(port)
            yield port
        finally:
            server.terminate()
            server.wait()


async def _ask_all(port: int, requests: int) -> list[tuple[str, float]]:
    """Each answer's prediction id, and how long it took in milliseconds."""
    payload = json.dumps(ROW).encode()
    head = "POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(payload)}\r\n\r\n".encode() + payload
    left = iter(range(requests))
    answers: list[tuple[str, float]] = []
    await asyncio.gather(*(_ask(port, request, left, answers) for _ in range(CONNECTIONS)))
    return answers


async def _ask(port: int, request: bytes, left: Iterator[int], answers: list[tuple[str, float]]) -> None:
    """One connection: a request after the other for as long as any is left."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in left:
        started = time.perf_counter()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(body.decode())
        answers.append((json.loads(body)["prediction_id"], (time.perf_counter() - started) * 1000))
    writer.close()
    await writer.wait_closed()
