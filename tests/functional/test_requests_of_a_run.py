"""How many S3 requests a monitoring run makes: the figures that `selfheal cost` reckons with, counted over a day."""

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from selfheal.prefixes import PREDICTIONS
from selfheal.stores.bucket import StoredObject
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal_tools.cost import RUN_GETS, RUN_PUTS
from tests.support.monitoring import CreditWorld, copy_of, trained_registry

HOURS = 24


class CountingBucket(MemoryBucket):
    """Counts what S3 would bill: a list with what is written, and reads of all but the log's new objects."""

    def __init__(self) -> None:
        super().__init__()
        self.billed: Counter[str] = Counter()

    def get(self, key: str) -> StoredObject:
        self.billed["gets"] += not key.startswith(PREDICTIONS)
        return super().get(key)

    def get_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        asked = list(keys)
        self.billed["gets"] += sum(not key.startswith(PREDICTIONS) for key in asked)
        return super().get_many(asked)

    def put(self, key: str, body: bytes) -> str:
        self.billed["puts"] += 1
        return super().put(key, body)

    def create(self, key: str, body: bytes) -> str:
        self.billed["puts"] += 1
        return super().create(key, body)

    def replace(self, key: str, body: bytes, etag: str) -> str:
        self.billed["puts"] += 1
        return super().replace(key, body, etag)

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        self.billed["puts"] += 1
        return super().keys(prefix, start_after)


def a_day_of_runs() -> Counter[str]:
    """What the runs of a day do, an hour after another, when a day of traffic and labels lies behind them."""
    data, registry = CountingBucket(), copy_of(trained_registry(), CountingBucket())
    world = CreditWorld(Stores(data, registry))
    world.hours(HOURS, rows=20)
    world.run()
    found: Counter[str] = Counter()
    for _ in range(HOURS):
        world.hours(1, rows=20)
        data.billed.clear()
        registry.billed.clear()
        world.run()
        found += data.billed + registry.billed
    return found


@pytest.mark.slow
def test_a_run_makes_as_many_requests_as_the_bill_reckons_with():
    """On the average of a day, so that what only a new day brings is in it."""
    found = a_day_of_runs()
    assert found["puts"] / HOURS == pytest.approx(RUN_PUTS, abs=1)
    assert found["gets"] / HOURS == pytest.approx(RUN_GETS, abs=1)
