"""Who may meet whom over the data bucket: people who replay, roll-ups, uploads and their events."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial

from selfheal.errors import StoreUnavailable
from selfheal.records.labels import Upload
from selfheal.stores.collection import Stores
from selfheal.usecases.labels.ingest import ingest_labels
from selfheal.usecases.labels.receive import label_rows, receive_labels
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from selfheal.usecases.serve.predict import predict
from selfheal.usecases.serve.production_model import ProductionModel
from selfheal.usecases.serve.recognise_retry import recognise_retry
from selfheal.usecases.serve.replay_log import replay_log
from tests.faults.interleaving import Scheduler
from tests.faults.invariants import violations
from tests.faults.services import Bucket, Line
from tests.faults.stages import snapshots
from tests.faults.world import START, World

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ROW = b'{"x": 1.0, "group": "a"}'


@cache
def _before_labels() -> World:
    """Hours are rolled up, the first is so without traffic of its last half; some answers have no label yet."""
    return snapshots()["labels"]


def _process(world: World, scheduler: Scheduler) -> Stores:
    """Stores as a process of its own would have them."""
    line = Line(scheduler)
    return Stores(Bucket(world.data, line, "data", world.moves), Bucket(world.registry, line, "registry", world.moves))


class _Unwritable:
    """A log that takes nothing."""

    def append(self, request_id: str, _: object) -> bool:
        raise StoreUnavailable(request_id)


def _unlogged(world: World, minutes: int) -> list[str]:
    """The lines of a request so long after the beginning that S3 didn't take."""
    now = START + timedelta(minutes=minutes)
    model = ProductionModel(world.stores.pointer, world.stores.models, 15).current(now)
    answer = predict(model, _Unwritable(), model.rows.parse(ROW), now=now)
    (found,) = answer.predictions
    world.answered[str(found["prediction_id"])] = (answer.logged, float(found["probability"]), 1)
    return list(answer.replay or ())


def _replays(days_later: float, minutes: int, scheduler: Scheduler) -> list[str]:
    """Two people replay parts of one hour while it is rolled up; then the log's small objects expire."""
    world = _before_labels().clone()
    lines = [_unlogged(world, minutes), _unlogged(world, minutes + 5)]
    world.now += days_later * DAY
    world.line.injector = scheduler
    ends = scheduler.run(
        {
            "ann": lambda: replay_log(_process(world, scheduler), lines[0], now=world.now),
            "bob": lambda: replay_log(_process(world, scheduler), lines[1], now=world.now),
            "roll-up": lambda: roll_up_closed_hours(_process(world, scheduler), world.now),
        }
    )
    return [f"{name} ended in {error!r}" for name, error in ends.items() if error] + violations(world)


def _written_over(scheduler: Scheduler) -> list[str]:
    """Two files under one name, the first's event coming twice: each is taken in, or its loss is told."""
    world = _before_labels().clone()
    rows = [f"{key},{truth}" for key, (_, _, truth) in list(world.answered.items())[:4]]
    told: dict[str, list[str]] = {"first": [], "second": []}

    def ingest(name: str, event: Upload) -> None:
        told[name].append(ingest_labels(_process(world, scheduler), event).reason or "")

    def write_over() -> None:
        ingest("second", _upload(_process(world, scheduler), rows[2:], world.now + HOUR))

    first = _upload(world.stores, rows[:2], world.now)
    ends = scheduler.run(
        {
            "event": partial(ingest, "first", first),
            "event again": partial(ingest, "first", first),
            "next file": write_over,
        }
    )
    found = [f"{name} ended in {error!r}" for name, error in ends.items() if error]
    known = world.stores.labels.of_predictions_between(START - DAY, world.now + DAY)
    for name, part in (("first", rows[:2]), ("second", rows[2:])):
        if not any(told[name]) and any(row.partition(",")[0] not in known for row in part):
            found.append("an upload that was written over is neither taken in nor told")
    if any(told["second"]):
        found.append("the newest file of a name isn't taken in")
    return found


def _upload(stores: Stores, rows: list[str], moment: datetime) -> Upload:
    """A file as somebody writes it, and the event that tells of it."""
    body, key = "\n".join(["prediction_id,label", *rows, ""]).encode(), "labels/incoming/truth.csv"
    return Upload(key=key, size=len(body), uploaded_at=moment, etag=stores.data.put(key, body).strip('"'))


def _label_requests(scheduler: Scheduler) -> list[str]:
    """Two attempts at one request under its Idempotency-Key, while the first one's file is taken in already."""
    world = _before_labels().clone()
    name, (_, _, truth) = next(iter(world.answered.items()))
    body = f'{{"labels": [{{"prediction_id": "{name}", "label": {truth}}}]}}'.encode()
    uploads: set[str] = set()

    def attempt(seconds: int) -> None:
        own, now = _process(world, scheduler), world.now + timedelta(seconds=seconds)
        known = recognise_retry(own.idempotency, "caller", "key", body, rows=1, now=now)
        key = f"labels/incoming/{receive_labels(own.labels, label_rows(body), known).upload}"
        uploads.add(key)
        stored = own.data.get(key)
        told = Upload(key=key, size=len(stored.body), uploaded_at=now, etag=stored.etag.strip('"'))
        if ingest_labels(own, told).reason:
            raise AssertionError("a request's file was refused")

    ends = scheduler.run({f"attempt {position}": partial(attempt, position) for position in range(2)})
    found = [f"{name} ended in {error!r}" for name, error in ends.items() if error]
    if len(uploads) != 1:
        found.append("one request under one key became two uploads")
    return found + violations(world)


DATA_MIXES: Mapping[str, Callable[[Scheduler], list[str]]] = {
    "replay | replay | roll-up, in an hour with rows": partial(_replays, 10, 10),
    "replay | replay | roll-up, in an hour without rows": partial(_replays, 10, 70),
    "replay | replay | roll-up, at once": partial(_replays, 0, 70),
    "event | event again | next file of the name": _written_over,
    "label request | label request, under one key": _label_requests,
}
