"""Every call of a stage fails in every way that it can; then AWS and people do what they do, and all has to be well."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from tests.faults.injection import OneFault, faults_of
from tests.faults.invariants import violations
from tests.faults.stages import STAGES, snapshots
from tests.faults.world import World

# The states of a healing under the names of what they do.
PARTS = {
    "TrainShadow": "training",
    "LookForLabels": "label wait",
    "EvaluateGates": "gates",
    "Conclude": "promotion",
    "Tell": "telling",
}


@dataclass
class Swept:
    """What was injected, by stage and fault, and what didn't hold: stage, call and fault of each violation."""

    injected: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: dict[str, list[str]] = field(default_factory=dict)

    def add(self, stage: str, fault: str, where: str, found: list[str]) -> None:
        """Count one fault and what came of it."""
        self.injected[stage, fault] += 1
        for violation in found:
            self.violations.setdefault(violation, []).append(f"{stage}: {where} {fault}")


def calls_of(stage: str) -> list[tuple[int, str, str]]:
    """Number, name and fault of everything that can go wrong in a stage, shuffled: any part of it is a fair sample."""
    counting = OneFault()
    world = snapshots()[stage].clone(counting)
    STAGES[stage](world)
    found = _recovered(world)
    if found:
        raise AssertionError(f"{stage} without any fault: {found}")
    names = enumerate(counting.names, start=1)
    faults = [(number, name, fault) for number, name in names for fault in faults_of(name)]
    random.Random(len(faults)).shuffle(faults)
    return faults


def sweep(stage: str, swept: Swept, *, every: int = 1, first: int = 0) -> Iterator[None]:
    """Inject one fault after the other, each into a life of its own; yields after each."""
    for number, name, fault in calls_of(stage)[first::every]:
        world, parts = snapshots()[stage].clone(), list[str]()
        world.line.injector = OneFault(number, fault, partial(_note, world, parts))
        STAGES[stage](world)
        swept.add(PARTS.get(parts[0], parts[0]) if stage == "healing" else stage, fault, name, _recovered(world))
        yield


def _note(world: World, parts: list[str]) -> None:
    parts.append(world.step)


def _recovered(world: World) -> list[str]:
    world.recover()
    return violations(world)
