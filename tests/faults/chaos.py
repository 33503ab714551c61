"""Whole lives in which any call may fail in any way: traffic, labels, monitoring, healing and people, then recovery."""

import random
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from tests.faults.injection import RandomFaults
from tests.faults.invariants import violations
from tests.faults.stages import snapshots
from tests.faults.world import HOUR, START, World

DAYS, SHARES = 3, (0.003, 0.01, 0.03)


@dataclass
class Lived:
    """Lives, faults and decisions so far, and the seeds of the lives in which something didn't hold."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: dict[str, list[int]] = field(default_factory=dict)


def live(seed: int, lived: Lived) -> None:
    """One life; the same seed is the same life."""
    rng = random.Random(seed)
    faults = RandomFaults(rng, rng.choice(SHARES))
    world = snapshots()["roll-up"].clone(faults)
    world.rng = np.random.default_rng(seed)
    for hour in range(24 * DAYS):
        _hour(world, hour, rng)
    world.recover()
    lived.counts += Counter(lives=1, faults=faults.injected, answers=len(world.answered))
    lived.counts += Counter(decision.kind for decision in world.stores.ledger.decisions())
    for found in violations(world):
        lived.violations.setdefault(found, []).append(seed)


def _hour(world: World, hour: int, rng: random.Random) -> None:
    """The world turns on the second day and back on the third; people step in now and then."""
    if hour % 3 == 0:
        slope = -2.0 if 12 <= hour < 48 else 2.0
        world.unlabelled.append((world.now, world.traffic(60, slope, key=f"k{hour}" if hour % 2 else None)))
    world.now = max(world.now, START + (hour + 13) * HOUR)
    if hour % 6 == 5:
        rows = world.due_labels()
        world.send_labels(rows, key=f"l{hour}") if hour % 12 == 5 else world.upload(rows, f"{hour}.csv", bad=1)
    if hour % 12 == 11:
        world.monitor()
        world.heal()
    if rng.random() < 0.02:
        rng.choice([world.pause, world.resume, world.roll_back])()
