"""What has to hold after the day, and what it took."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from selfheal.errors import SelfhealError
from selfheal.usecases.registry.verify import verify
from tests.soak.day import DAY, Day
from tests.soak.functions import Size
from tests.support.small_loop import START

# A process that takes so much more in its last quarter than in its second leaks. (The first one is for warming up.)
MOST_GROWTH = 1.25
FEWEST_SIZES = 8


def violations(day: Day) -> list[str]:
    """Everything that is lost, there twice, false or growing; nothing where all is well."""
    return [*_predictions(day), *_labels(day), *_ledger(day), *_memory(day)]


@dataclass(frozen=True, slots=True)
class Growth:
    """The longest-lived process of a function: MB in its second and in its last quarter; `hours` that it lived."""

    early: float
    late: float
    hours: int


def growths(day: Day) -> dict[str, Growth]:
    """The growth of each function that has a process which lived long enough."""
    found = {name: growth_of(function.sizes) for name, function in day.functions.functions.items()}
    return {name: growth for name, growth in found.items() if growth is not None}


def growth_of(sizes: Sequence[Size]) -> Growth | None:
    """The growth of the longest-lived process; None where none lived long enough."""
    processes = Counter(size.process for size in sizes)
    if not processes:
        return None
    process, hours = processes.most_common(1)[0]
    if hours < FEWEST_SIZES:
        return None
    held = [size.megabytes for size in sizes if size.process == process]
    quarter = hours // 4
    return Growth(median(held[quarter : 2 * quarter]), median(held[-quarter:]), hours)


def _predictions(day: Day) -> Iterator[str]:
    window = day.cloud.stores.history.window(START - DAY, day.cloud.clock.now + DAY, day.loop.contract)
    logged = dict(zip(window.prediction_ids.tolist(), window.probabilities.tolist(), strict=True))
    told = day.told.answered
    if lost := told.keys() - logged.keys():
        yield f"{len(lost)} answers are in no log"
    if len(window) > len(logged):
        yield f"{len(window) - len(logged)} predictions are logged twice"
    if extra := logged.keys() - told.keys():
        yield f"{len(extra)} predictions are logged that nobody was told"
    if wrong := [key for key in told.keys() & logged.keys() if told[key] != logged[key]]:
        yield f"{len(wrong)} answers differ from the log"


def _labels(day: Day) -> Iterator[str]:
    stored = day.cloud.stores.labels.of_predictions_between(START - DAY, day.cloud.clock.now + DAY)
    said = day.told.uploaded
    if lost := said.keys() - stored.keys():
        yield f"{len(lost)} labels were not taken in"
    if wrong := [key for key in said.keys() & stored.keys() if said[key] != stored[key].label]:
        yield f"{len(wrong)} labels are not what was said"


def _ledger(day: Day) -> Iterator[str]:
    stores = day.cloud.stores
    try:
        verify(stores)
    except SelfhealError as error:
        yield f"verify: {type(error).__name__}: {error}"
    story = stores.ledger.story()
    healings = Counter(decision.execution for decision in story.decisions if decision.execution)
    for execution in day.cloud.executions.recent():
        if execution.status == "RUNNING":
            yield f"healing {execution.name} never ended"
        elif healings[execution.name] != 1:
            yield f"healing {execution.name} has {healings[execution.name]} decisions"
    for decision in story.decisions:
        if decision.is_move and story.outcome_of(decision) is None:
            yield f"{decision.kind} {decision.decision_id} has no outcome"


def _memory(day: Day) -> Iterator[str]:
    for name, growth in growths(day).items():
        if growth.late > MOST_GROWTH * growth.early:
            yield f"{name} grew from {growth.early:.0f} to {growth.late:.0f} MB"
