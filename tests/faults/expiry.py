"""What is left of a life when the small objects of the prediction log have expired: its roll-ups."""

from collections.abc import Iterator
from datetime import timedelta

from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from tests.faults.services import copy_of
from tests.faults.world import CONTRACT, START, World

DAY = timedelta(days=1)
# The next day's first hour is closed then, so that late objects were taken in.
TOMORROW = timedelta(hours=26)


def lost_with_the_log(world: World) -> Iterator[str]:
    """Monitoring goes on for a day and then the log's lifecycle takes what lies beside the roll-ups."""
    stores = Stores(copy_of(world.data), world.registry)
    roll_up_closed_hours(stores, world.now + TOMORROW)
    kept = MemoryBucket()
    for key, body in stores.data.get_many(stores.data.keys("predictions-hourly/")):
        kept.put(key, body)
    window = Stores(kept, world.registry).history.window(START - DAY, world.now + DAY, CONTRACT)
    lost = world.answered.keys() - set(window.prediction_ids)
    if lost:
        yield "a prediction is gone when the log's small objects are"
