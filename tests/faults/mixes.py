"""Who may meet whom: two or three actors over one past, and what has to hold whatever the order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import combinations_with_replacement

from selfheal.data.labels import TargetValues
from selfheal.errors import StoreUnavailable
from selfheal.records.healing import Healing, Verdict
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.heal.lifecycle import sweep
from selfheal.usecases.monitor.check_probation import check_probation
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from selfheal.usecases.registry.bootstrap import bootstrap
from selfheal.usecases.registry.pause import pause, resume
from selfheal.usecases.registry.promote import force_promotion
from selfheal.usecases.registry.roll_back import roll_back
from selfheal.usecases.serve.predict import predict
from selfheal.usecases.serve.production_model import ProductionModel
from selfheal.usecases.serve.recognise_retry import recognise_retry
from tests.faults.data_mixes import DATA_MIXES
from tests.faults.interleaving import Scheduler, is_expected
from tests.faults.invariants import ledger_violations, violations
from tests.faults.services import Bucket, Line, copy_of
from tests.faults.stages import snapshots
from tests.faults.world import BASE, CONTRACT, START, World
from tests.support.healing import (
    DAY,
    FakeExecutions,
    FakeNotifications,
    healed_environment,
    traffic,
    trained,
)
from tests.support.remembered import remembered_fit

PROMOTED_AT = START + 10 * DAY
LATER = PROMOTED_AT + timedelta(minutes=20)
STICKINESS = (0.0, 0.7, 0.9)

type Actors = Mapping[str, Callable[[], object]]


@dataclass
class Met:
    """Orders tried by mix, and the seeds of those in which something didn't hold."""

    orders: dict[str, int] = field(default_factory=dict)
    violations: dict[str, list[str]] = field(default_factory=dict)


def meet(mix: str, seed: int, met: Met) -> None:
    """One order of one mix."""
    scheduler = Scheduler(seed, STICKINESS[seed % len(STICKINESS)])
    found = MIXES[mix](scheduler)
    met.orders[mix] = met.orders.get(mix, 0) + 1
    for violation in found:
        met.violations.setdefault(violation, []).append(f"{mix}, seed {seed}")


# Everything that moves production, or stops it


@dataclass
class Registry:
    """A registry of before the meeting; each actor gets stores of its own over it."""

    registry: MemoryBucket
    scheduler: Scheduler
    moves: list[str]

    def stores(self) -> Stores:
        """As a process of its own would have them."""
        line = Line(self.scheduler)
        return Stores(MemoryBucket(), Bucket(self.registry, line, "registry", self.moves))


@cache
def _judged() -> tuple[MemoryBucket, Healing, Verdict]:
    """v1 in production, v2 trained and passed by the gates."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=900, label_delay=timedelta(minutes=5))
    verdict = evaluate_gates(stores, healing, trained(), PROMOTED_AT)
    if verdict.kind != "promote":
        raise AssertionError(verdict.reason)
    return stores.registry_bucket, healing, verdict


@cache
def _interrupted() -> MemoryBucket:
    """The same, and the decision to promote v2 stands in the ledger, its swap was refused."""
    registry, healing, verdict = _judged()
    broken = _Unswappable(copy_of(registry))
    try:
        conclude(Stores(MemoryBucket(), broken), healing, verdict, PROMOTED_AT)
    except StoreUnavailable:
        return broken.inner
    raise AssertionError("the swap wasn't refused")


class _Unswappable:
    def __init__(self, inner: MemoryBucket) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def replace(self, key: str, body: bytes, etag: str) -> str:
        raise StoreUnavailable(f"S3 refused {key}: SlowDown ({len(body)} bytes, {etag})")


def _conclude(registry: Registry, seconds: int) -> object:
    _, healing, verdict = _judged()
    return conclude(registry.stores(), healing, verdict, PROMOTED_AT + timedelta(seconds=seconds))


def _pause_and_resume(registry: Registry) -> None:
    stores = registry.stores()
    pause(stores, reason="r", actor="ann", now=PROMOTED_AT)
    resume(stores, reason="r", actor="ann", now=PROMOTED_AT)


MOVERS: Mapping[str, Callable[[Registry], object]] = {
    "conclude": lambda registry: _conclude(registry, 0),
    "conclude again": lambda registry: _conclude(registry, 70),
    "settle": lambda registry: sweep(registry.stores(), FakeExecutions(), LATER, FakeNotifications()),
    "pause": lambda registry: pause(registry.stores(), reason="r", actor="ann", now=PROMOTED_AT),
    "pause and resume": _pause_and_resume,
    "force v2": lambda registry: force_promotion(registry.stores(), "v2", reason="r", actor="ann", now=PROMOTED_AT),
    "roll back to v1": lambda registry: roll_back(registry.stores(), "v1", reason="r", actor="bob", now=PROMOTED_AT),
}


def _movers(past: Callable[[], MemoryBucket], names: Sequence[str], scheduler: Scheduler) -> list[str]:
    shared = Registry(copy_of(past()), scheduler, ["bootstrap-v1"])
    actors = {f"{name} ({position})": partial(MOVERS[name], shared) for position, name in enumerate(names)}
    ends = scheduler.run(actors)
    found = [f"{name} ended in {error!r}" for name, error in ends.items() if not is_expected(error)]
    # What nobody finished, a later run does.
    sweep(shared.stores(), FakeExecutions(), PROMOTED_AT + DAY, FakeNotifications())
    return found + ledger_violations(shared.registry, shared.moves)


# Bootstraps, requests, roll-ups, probations


def _bootstraps(apart: timedelta, scheduler: Scheduler) -> list[str]:
    shared = Registry(MemoryBucket(), scheduler, [])
    values = TargetValues("1", "0")

    def begin(position: int) -> object:
        return bootstrap(
            shared.stores(), BASE, CONTRACT, values, now=START + position * apart, actor="a", fit=remembered_fit
        )

    ends = scheduler.run({f"bootstrap {position}": partial(begin, position) for position in range(2)})
    found = [f"{name} ended in {error!r}" for name, error in ends.items() if not is_expected(error)]
    if apart and sum(error is None for error in ends.values()) != 1:
        found.append("not exactly one bootstrap succeeded")
    sweep(shared.stores(), FakeExecutions(), START + DAY, FakeNotifications())
    return found + ledger_violations(shared.registry, shared.moves)


def _requests(scheduler: Scheduler) -> list[str]:
    """Three attempts at one request under its Idempotency-Key."""
    world = snapshots()["serving"].clone(scheduler)
    before = len(list(world.data.keys("predictions/")))
    body, answers = b'{"rows": [{"x": 1.0, "group": "a"}, {"x": 2.0, "group": "b"}]}', []

    def attempt(position: int) -> None:
        own = _process(world, scheduler)
        now = world.now + timedelta(seconds=position)
        model = ProductionModel(own.pointer, own.models, 15).current(now)
        known = recognise_retry(own.idempotency, "caller", "key", body, rows=2, now=now)
        answer = predict(model, own.prediction_log, model.rows.parse(body), now=now, request_id=known)
        answers.append(tuple(str(found["prediction_id"]) for found in answer.predictions))

    ends = scheduler.run({f"attempt {position}": partial(attempt, position) for position in range(3)})
    found = [f"{name} ended in {error!r}" for name, error in ends.items() if error is not None]
    if len(set(answers)) != 1 or len(list(world.data.keys("predictions/"))) != before + 1:
        found.append("one request under one key was answered twice")
    return found


def _roll_ups(scheduler: Scheduler) -> list[str]:
    """Two roll-ups, a late request into an hour that they roll up, and a reader."""
    world = snapshots()["roll-up"].clone()
    world.line.injector = scheduler

    def late() -> None:
        own = _process(world, scheduler)
        now = START + timedelta(minutes=59)
        model = ProductionModel(own.pointer, own.models, 15).current(now)
        answer = predict(model, own.prediction_log, model.rows.parse(b'{"x": 1.0, "group": "a"}'), now=now)
        (found,) = answer.predictions
        world.answered[str(found["prediction_id"])] = (answer.logged, float(found["probability"]), 1)

    def read() -> None:
        window = _process(world, scheduler).history.window(START - DAY, START + DAY, CONTRACT)
        if len(window.prediction_ids) != len(set(window.prediction_ids)):
            raise AssertionError("a reader saw a prediction twice")

    ends = scheduler.run(
        {
            "roll-up": lambda: roll_up_closed_hours(_process(world, scheduler), world.now),
            "roll-up a day later": lambda: roll_up_closed_hours(_process(world, scheduler), world.now + DAY),
            "late request": late,
            "reader": read,
        }
    )
    found = [f"{name} ended in {error!r}" for name, error in ends.items() if error is not None]
    return found + violations(world)


def _probations(scheduler: Scheduler) -> list[str]:
    """Two monitoring runs find production worse at once: one rollback, told."""
    world = snapshots()["probation"].clone(scheduler)
    people = FakeNotifications()
    ends = scheduler.run(
        {
            f"run {position}": partial(_judged_probation, _process(world, scheduler), people, world.now)
            for position in range(2)
        }
    )
    found = [f"{name} ended in {error!r}" for name, error in ends.items() if not is_expected(error)]
    decisions = world.stores.ledger.decisions()
    if sum(decision.kind == "rollback" for decision in decisions) != 1 or not people.sent:
        found.append("not exactly one rollback, told")
    sweep(world.stores, FakeExecutions(), world.now + DAY, people)
    return found + ledger_violations(world.registry, world.moves)


def _judged_probation(stores: Stores, people: FakeNotifications, now: datetime) -> None:
    check_probation(stores, stores.ledger.story(), people, now)


def _process(world: World, scheduler: Scheduler) -> Stores:
    line = Line(scheduler)
    return Stores(Bucket(world.data, line, "data", world.moves), Bucket(world.registry, line, "registry", world.moves))


def _mixes() -> Mapping[str, Callable[[Scheduler], list[str]]]:
    found: dict[str, Callable[[Scheduler], list[str]]] = {}
    for size in (2, 3):
        for names in combinations_with_replacement(MOVERS, size):
            found[" | ".join(names)] = partial(_movers, lambda: _judged()[0], names)
            if "settle" in names:
                found[f"interrupted: {' | '.join(names)}"] = partial(_movers, _interrupted, names)
    return found | {
        "bootstrap | bootstrap": partial(_bootstraps, timedelta(seconds=2)),
        "bootstrap | bootstrap, in one second": partial(_bootstraps, timedelta(0)),
        "request | request | request, under one key": _requests,
        "roll-up | roll-up | late request | reader": _roll_ups,
        "probation | probation": _probations,
        **DATA_MIXES,
    }


MIXES = _mixes()
