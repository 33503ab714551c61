"""The soak's own parts: what goes wrong does as it says, and a day that lost something is found out."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.soak.checks import growth_of, violations
from tests.soak.day import a_day
from tests.soak.functions import Size
from tests.soak.proxy import through
from tests.soak.weather import CALLS, Weather
from tests.support.small_loop import START


class OneKind(Weather):
    """Weather in which the same goes wrong with every call."""

    def __init__(self, kind: str) -> None:
        super().__init__(0)
        self._kind = kind

    def of_call(self) -> str:
        return self._kind

    def seconds(self, longest: float) -> float:
        return 0.0 * longest


@contextmanager
def service() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a service that takes every PUT, and the bodies that it got."""
    got: list[bytes] = []

    class Taking(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("ETag", f"{len(got)}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("kind", "done", "status"),
    [("refused", 0, 503), ("slow", 1, 200), ("twice", 2, 200), ("unanswered", 1, None), (None, 1, 200)],
)
def test_a_call_goes_wrong_as_its_fault_says(kind: str, done: int, status: int | None):
    """A refusal does nothing; what is unanswered or comes twice has been done."""
    with service() as (address, got), through(address, OneKind(kind)) as proxy:
        try:
            answer = httpx.put(f"{proxy}/bucket/key", content=b"body")
        except httpx.RemoteProtocolError:
            answer = None
        assert got == [b"body"] * done
        assert (answer.status_code if answer else None) == status
        if status == 200:
            assert answer.headers["ETag"] == str(done)


def test_half_a_body_is_no_object():
    """Whoever is killed while sending has sent nothing."""
    with service() as (address, got), through(address, OneKind("slow")) as proxy:
        with socket.create_connection((urlsplit(proxy).hostname, urlsplit(proxy).port)) as sent:
            sent.sendall(b"PUT /bucket/key HTTP/1.1\r\nHost: s3\r\nContent-Length: 10\r\n\r\nhalf")
            sent.shutdown(socket.SHUT_WR)
            assert sent.recv(100) == b""
        assert got == []


def test_the_weather_is_as_bad_as_it_says():
    """Shares of 100,000 calls within a tenth of what they are; none before it begins and after it ends."""
    weather = Weather(3)
    assert weather.of_call() is None
    weather.begin()
    seen = Counter(weather.of_call() for _ in range(100_000))
    for fault, share in CALLS.items():
        assert seen[fault] == pytest.approx(100_000 * share, rel=0.1)
    weather.is_away = True
    assert {weather.of_call() for _ in range(20)} == {"refused"}
    weather.end()
    assert {weather.of_call() for _ in range(1000)} == {None}


def test_a_process_that_grows_is_seen_and_a_young_one_is_not_judged():
    """The longest-lived process counts, its warm-up doesn't."""
    moments = [START + timedelta(hours=hour) for hour in range(12)]
    held = [Size(moment, 7, 50.0 if place < 3 else 100.0 + 10 * place) for place, moment in enumerate(moments)]
    growth = growth_of([*held, Size(START, 8, 1.0)])
    assert (growth.early, growth.late, growth.hours) == (140.0, 200.0, 12)
    assert growth_of(held[:5]) is None
    assert growth_of([]) is None


@pytest.mark.slow
def test_a_short_day_holds_and_what_it_then_lacks_is_told(tmp_path: Path):
    """Four hours under faults lose nothing; an object that is taken away and an answer that was changed are told."""
    with a_day(tmp_path, predictions=800, hours=4, seed=1) as day:
        day.live()
        assert day.weather.injected.total() > 0
        assert violations(day) == []
        first = next(iter(day.told.answered))
        day.told.answered[first] += 0.5
        day.told.answered["01JNKQ2Z7W3F8V5T0C9XG4H6RM-0000"] = 0.5
        day.told.uploaded["01JNKQ2Z7W3F8V5T0C9XG4H6RM-0000"] = 1
        said = "; ".join(violations(day))
        for part in ("1 answers are in no log", "1 answers differ from the log", "1 labels were not taken in"):
            assert part in said
