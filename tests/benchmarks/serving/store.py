"""A store at an address: moto's server in a process of its own, with the registries that are measured."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import boto3

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}
SETTINGS = {"SELFHEAL_DATA_BUCKET": "data", "SELFHEAL_METRICS_NAMESPACE": "benchmark"}


@contextmanager
def store(registries: Mapping[str, Path]) -> Iterator[Mapping[str, str]]:
    """The variables with which a predictor finds it; each registry is a bucket of its name."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        address = f"http://127.0.0.1:{port}"
        client = boto3.Session("testing", "testing", region_name="us-east-1").client("s3", endpoint_url=address)
        client.create_bucket(Bucket=SETTINGS["SELFHEAL_DATA_BUCKET"])
        for name, registry in registries.items():
            client.create_bucket(Bucket=name)
            for file in registry.rglob("*.json"):
                client.put_object(Bucket=name, Key=str(file.relative_to(registry)), Body=file.read_bytes())
        yield {**CREDENTIALS, **SETTINGS, "AWS_ENDPOINT_URL": address}
    finally:
        server.terminate()
        server.wait()


def free_port() -> int:
    """A port that nobody listens on yet."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_for(port: int, seconds: float = 90.0) -> None:
    """Until somebody listens. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")
