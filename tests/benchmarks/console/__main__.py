"""The console on a large environment: how long until Now's first byte, and how large each page is.

500 decisions, 90 days of hourly runs of twenty features, in buckets that answer each call as late as S3 does. The
console is the real server on a socket of this machine.
"""

import json
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

import httpx

from selfheal.records.drift import Sketch
from selfheal.records.ledger import Decision, Outcome
from selfheal.records.monitoring import DriftSummary, TimelinePoint
from selfheal.stores.bucket import StoredObject
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal_tools.console.desk import Settings
from selfheal_tools.console.serving import served
from tests.benchmarks.environments import BUILD
from tests.support.console import environment_of
from tests.support.healing import memory_stores, write_version
from tests.support.records import example_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DECISIONS, DAYS, FEATURES = 500, 90, 20
# A call to S3 within its region, and how many the SDK's client makes at once.
LATENCY, PARALLEL, LISTED = 0.02, 32, 1_000
ROUNDS = 20
LONGEST_SECONDS, LARGEST_BYTES = 0.3, 300_000
OUT = BUILD / "console.json"


class DistantBucket(MemoryBucket):
    """Answers as late as S3; `is_far` from when on."""

    is_far = False

    def get(self, key: str) -> StoredObject:
        self._wait(1)
        return super().get(key)

    def get_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = list(keys)
        self._wait(-(-len(wanted) // PARALLEL))
        yield from super().get_many(wanted)

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        found = list(super().keys(prefix, start_after))
        self._wait(1 + len(found) // LISTED)
        return iter(found)

    def _wait(self, calls: int) -> None:
        if self.is_far:
            time.sleep(calls * LATENCY)


def main() -> None:
    """Measure, tell, and fail where a bar is missed."""
    stores = environment()
    with served(environment_of(stores, NOW), Settings(actor="console:bench")) as address:
        origin = address.split("/?", maxsplit=1)[0]
        with httpx.Client(base_url=origin, timeout=60) as client:
            cold = first_byte(client, address)
            warm = [first_byte(client, "/") for _ in range(ROUNDS)]
            sizes = {path: len(client.get(path).raise_for_status().content) for path in PAGES}
    result = {"now_cold": cold, "now": median(warm), "now_slowest": max(warm), "bytes": sizes}
    BUILD.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))
    missed = [path for path, size in sizes.items() if size >= LARGEST_BYTES]
    if result["now"] > LONGEST_SECONDS or missed:
        raise SystemExit(f"missed: Now in {result['now']:.3f} s, too large: {missed}")


PAGES = ("/", "/time?days=90", "/versions", "/decisions", "/decisions?page=9", "/labels", "/data?days=90", "/try")


def first_byte(client: httpx.Client, path: str) -> float:
    """Seconds until the first byte of a page's body."""
    began = time.perf_counter()
    with client.stream("GET", path, follow_redirects=True) as answer:
        next(answer.iter_raw())
        return time.perf_counter() - began


def environment() -> Stores:
    """Everything that the pages read."""
    data, registry = DistantBucket(), DistantBucket()
    stores = Stores(data, registry)
    template = write_version(memory_stores(), "template", slope=1.0)
    for place in range(DECISIONS):
        decide(stores, place)
    summary = run_summary(template.version)
    for place in range(DAYS * 24):
        moment = NOW - place * HOUR
        stores.monitoring.write(moment, "summary.json", summary.model_copy(update={"timestamp": moment}).to_json())
    data.is_far = registry.is_far = True
    return stores


def decide(stores: Stores, place: int) -> None:
    """A version a decision; every tenth one is promoted."""
    moment, version = NOW - (DECISIONS - place) * 4 * HOUR, f"v{place:03d}"
    manifest = write_version(stores, version, slope=1.0, created_at=moment)
    kind = "bootstrap" if place == 0 else "promote" if place % 10 == 0 else "reject"
    example = example_of(Decision).model_dump()
    decision = Decision.model_validate(
        example
        | {"decision_id": f"d{place:03d}", "kind": kind, "decided_at": moment, "version": version, "evidence": None}
    )
    stores.ledger.append_decision(decision)
    if decision.is_move:
        outcome = Outcome(
            decision_id=decision.decision_id, kind="done", recorded_at=moment, reason="the pointer was swapped"
        )
        stores.ledger.append_outcome(outcome)
    if place == DECISIONS - 10:
        from selfheal.usecases.registry.moves import pointer_of

        stores.pointer.write_first(
            pointer_of(decision.model_copy(update={"manifest_sha256": stores.models.manifest_sha256(manifest.version)}))
        )


def run_summary(version: str) -> DriftSummary:
    """A run of twenty features and two weeks of points."""
    example = example_of(DriftSummary)
    sketch = Sketch(labels=tuple("abcdefghijklmno"), reference=(0.07,) * 15, window=(0.06,) * 15)
    feature = example.features[0].model_copy(update={"sketch": sketch})
    points = tuple(
        TimelinePoint(
            timestamp=NOW - place * 3 * HOUR, version=version, brier=0.1, brier_low=0.09, brier_high=0.11, f1=0.5,
            estimated_f1=0.5, drift_share=0.0, coverage=0.4,
        )
        for place in range(120)
    )  # fmt: skip
    features = tuple(feature.model_copy(update={"feature": f"feature_{place}"}) for place in range(FEATURES))
    return example.model_copy(update={"features": features, "timeline": points[::-1], "production_version": version})


if __name__ == "__main__":
    main()
