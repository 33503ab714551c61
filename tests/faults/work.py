"""The sweep's work in pieces, each for a process of its own."""

import time
from collections.abc import Iterator, Mapping, Sequence

from tests.faults.chaos import Lived, live
from tests.faults.mixes import MIXES, Met, meet
from tests.faults.sweep import Swept, sweep

PROCESSES = 2


def swept(stage: str, first: int, every: int) -> Swept:
    """One fault of a stage in `every`, from `first` on."""
    found = Swept()
    for _ in sweep(stage, found, first=first, every=every):
        pass
    _say(stage, found.violations)
    return found


def lived(first: int, seconds: float) -> Lived:
    """Every other life from `first` on."""
    found = Lived()
    for seed in _until(seconds, first):
        live(seed, found)
    _say("lives", found.violations)
    return found


def met(first: int, seconds: float) -> Met:
    """Mix after mix, each in one more order every round."""
    found, mixes = Met(), list(MIXES)
    for number in _until(seconds, first):
        meet(mixes[number % len(mixes)], number // len(mixes), found)
    _say("orders", found.violations)
    return found


def _say(what: str, violations: Mapping[str, Sequence[object]]) -> None:
    """How far it is, and at once what didn't hold: the whole takes an hour."""
    print(f"{what}: a process is through", flush=True)
    for violation, where in violations.items():
        print(f"  {violation}: {len(where)} times, such as {where[:3]}", flush=True)


def _until(seconds: float, first: int) -> Iterator[int]:
    end, number = time.monotonic() + seconds, first
    while time.monotonic() < end:
        yield number
        number += PROCESSES
