"""One life up to each of its stages, and what happens in a stage."""

from collections.abc import Callable, Mapping
from functools import cache

from selfheal.errors import StoreUnavailable
from tests.faults.world import HOUR, World

# Half days after which a life that neither promotes nor rolls back is another than it was written to be.
MOST_HALF_DAYS = 12


@cache
def snapshots() -> Mapping[str, World]:
    """The world right before each stage: what it goes through without a fault ends in a promotion and its rollback."""
    world = World()
    found = {"bootstrap": world.clone()}
    world.bootstrap()
    world.live(12, slope=2.0)
    found["roll-up"] = world.clone()
    world.monitor()
    for stage in ("serving", "labels", "replay"):
        found[stage] = world.clone()
    world.live(12, slope=2.0)
    world.monitor()
    _until(world, found, slope=-2.0, sought="promote", stages=("monitoring", "healing"))
    found["people"] = world.clone()
    _until(world, found, slope=2.0, sought="rollback", stages=("probation", "another healing"))
    return found


def _until(world: World, found: dict[str, World], *, slope: float, sought: str, stages: tuple[str, str]) -> None:
    for _ in range(MOST_HALF_DAYS):
        world.live(12, slope=slope)
        found[stages[0]] = world.clone()
        world.monitor()
        if world.pending:
            found[stages[1]] = world.clone()
            world.heal()
        if sought in {decision.kind for decision in world.stores.ledger.decisions()}:
            return
    kinds = [decision.kind for decision in world.stores.ledger.decisions()]
    raise AssertionError(f"no {sought} in this life, but {kinds}: write it anew")


def _serve(world: World) -> None:
    world.traffic(3, 2.0, key="first")
    world.traffic(2, 2.0)
    world.now += HOUR
    world.traffic(3, 2.0, key="second")


def _label(world: World) -> None:
    rows = [(key, truth) for key, (_, _, truth) in world.answered.items()]
    world.upload(rows[-40:], "file.csv", bad=2)
    world.send_labels(rows[-60:-40], key="third")


def _replay(world: World) -> None:
    injector = world.line.injector
    world.line.injector = _NoLog()
    for minute in (0, 70):
        world.now += HOUR * minute / 60
        world.traffic(3, 2.0)
    world.line.injector = injector
    world.replay()


def _people(world: World) -> None:
    world.pause()
    world.resume()
    world.roll_back()
    versions = sorted(key.split("/")[1] for key in world.registry.keys("models/") if key.endswith("/manifest.json"))
    world.force(versions[-1])


class _NoLog:
    """The predictor can write nothing."""

    def call[T](self, name: str, effect: Callable[[], T]) -> T:
        if name.startswith("data create predictions/"):
            raise StoreUnavailable(name)
        return effect()


STAGES: Mapping[str, Callable[[World], None]] = {
    "bootstrap": World.bootstrap,
    "serving": _serve,
    "labels": _label,
    "roll-up": World.roll_up,
    "replay": _replay,
    "monitoring": World.monitor,
    "healing": World.heal,
    "probation": World.monitor,
    "people": _people,
}
