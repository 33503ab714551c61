"""What has to hold of a world whatever happened to it, once it has recovered."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import orjson

from selfheal.errors import SelfhealError
from selfheal.healing.sentences import sentence_of
from selfheal.records.ledger import Decision, LedgerEntry, Outcome
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.registry.verify import verify
from selfheal.usecases.serve.production_model import ProductionModel
from tests.faults.expiry import lost_with_the_log
from tests.faults.world import CONTRACT, START, World

DAY = timedelta(days=1)
LONGEST_MESSAGE = 20_000


def violations(world: World) -> list[str]:
    """Everything that is lost, false or untold; nothing where all is well."""
    stores = Stores(world.data, world.registry)
    checks = (_predictions, _labels, _registry, _healings, _messages)
    return sorted({found for check in checks for found in check(world, stores)})


def ledger_violations(registry: MemoryBucket, moves: list[str]) -> list[str]:
    """The registry alone: chain, verdicts, pointer, and each move's outcome against what the pointer ever held."""
    return sorted(set(_ledger(Stores(MemoryBucket(), registry), moves)))


def _predictions(world: World, stores: Stores) -> Iterator[str]:
    logged: dict[str, list[float]] = {}
    for _, body in world.data.get_many(world.data.keys("predictions/")):
        for line in body.splitlines():
            row = orjson.loads(line)
            logged.setdefault(row["prediction_id"], []).append(row["probability"])
    for key, (was_logged, probability, _) in world.answered.items():
        if logged.get(key) != [probability]:
            yield f"an answer (logged: {was_logged}) is in the log {len(logged.get(key, ()))} times, or differently"
    window = stores.history.window(START - DAY, world.now + DAY, CONTRACT)
    read = Counter(window.prediction_ids.tolist())
    if max(read.values(), default=0) > 1:
        yield "monitoring reads a prediction twice"
    if world.answered.keys() - read.keys():
        yield "monitoring lacks a prediction"
    yield from lost_with_the_log(world)


def _labels(world: World, stores: Stores) -> Iterator[str]:
    accepted: dict[str, set[int]] = {}
    for _, body in world.data.get_many(world.data.keys("labels/accepted/")):
        for line in body.splitlines():
            label = orjson.loads(line)
            accepted.setdefault(label["prediction_id"], set()).add(label["label"])
    for upload in world.uploads:
        if any(label not in accepted.get(key, ()) for key, label in upload.rows):
            yield "an uploaded label is neither accepted nor refused"
    refused = Counter[str]()
    for key, body in world.data.get_many(world.data.keys("labels/rejected/")):
        refused[key.removeprefix("labels/rejected/").split(".csv")[0]] += len(body.splitlines()) - 1
    for upload in world.uploads:
        name = upload.event.key.removeprefix("labels/incoming/").removesuffix(".csv")
        if upload.bad and refused[name] != upload.bad:
            yield "a bad row has no reason, or more than one"
    current = stores.labels.of_predictions_between(START - DAY, world.now + DAY)
    if any(key in world.answered and label.label != world.answered[key][2] for key, label in current.items()):
        yield "a current label isn't the one that was said"


def _registry(world: World, stores: Stores) -> Iterator[str]:
    yield from _ledger(stores, world.moves)
    try:
        ProductionModel(stores.pointer, stores.models, 15).current(world.now)
    except SelfhealError as error:
        yield f"production can't be served: {type(error).__name__}"


def _ledger(stores: Stores, moves: list[str]) -> Iterator[str]:
    try:
        verify(stores)
    except SelfhealError as error:
        yield f"verify: {type(error).__name__}: {str(error)[:120]}"
        return
    entries = list(stores.ledger.entries())
    yield from _under_a_pause(entries)
    decisions = [entry.decision for entry in entries if entry.decision]
    outcomes = [entry.outcome for entry in entries if entry.outcome]
    if len({decision.decision_id for decision in decisions}) != len(decisions):
        yield "a decision stands in the ledger twice"
    kinds = {outcome.decision_id: outcome.kind for outcome in outcomes}
    if len(kinds) != len(outcomes):
        yield "a decision has two outcomes"
    for move in (decision for decision in decisions if decision.is_move):
        yield from _move(move, kinds.get(move.decision_id), was_there=move.decision_id in moves)


def _under_a_pause(entries: list[LedgerEntry]) -> Iterator[str]:
    paused = False
    for entry in entries:
        paused = entry.switch.paused if entry.switch else paused
        if entry.decision and paused and entry.decision.kind == "promote" and entry.decision.execution:
            yield "a promotion was decided under a pause"


def _move(move: Decision, kind: str | None, *, was_there: bool) -> Iterator[str]:
    if kind is None:
        yield f"a {move.kind} has no outcome"
    elif (kind == "done") != was_there:
        yield f"a {move.kind} is recorded as {kind}, and was {'' if was_there else 'never '}in production"
    if move.kind == "promote" and move.execution and not (move.gates and all(gate.passed for gate in move.gates)):
        yield "a promotion without its gates"


def _healings(world: World, stores: Stores) -> Iterator[str]:
    own = Counter(d.execution for d in stores.ledger.decisions() if not d.decision_id.endswith("-conflict"))
    for execution, status in world.statuses.items():
        if status == "RUNNING":
            yield "a healing never ended"
        elif own[execution] != 1:
            yield f"a healing has {own[execution]} decisions"


def _messages(world: World, stores: Stores) -> Iterator[str]:
    said = "\n".join([*(f"{subject}\n{body}" for subject, body in world.sent), *world.screen])
    outcomes = {entry.outcome.decision_id: entry.outcome for entry in stores.ledger.entries() if entry.outcome}
    decisions = stores.ledger.decisions()
    lost = {key for key, outcome in outcomes.items() if outcome.kind == "conflict"}
    done = {sentence_of(decision) for decision in decisions if decision.decision_id not in lost}
    for decision in decisions:
        outcome = outcomes.get(decision.decision_id)
        if decision.decision_id in lost and sentence_of(decision) not in done and sentence_of(decision) in said:
            yield f"a {decision.kind} that didn't happen was told as done"
        if not _is_told(decision, outcome, said):
            yield f"nobody was told of a {decision.kind} by {decision.trigger}"
    if any(len(body) > LONGEST_MESSAGE for _, body in world.sent):
        yield "a message is longer than people read"


def _is_told(decision: Decision, outcome: Outcome | None, said: str) -> bool:
    """By a message, or on the screen of the person who commanded it; a healing's conflict by the `failed` after it."""
    if sentence_of(decision, outcome) in said:
        return True
    return outcome is not None and outcome.kind == "conflict" and outcome.reason in said
