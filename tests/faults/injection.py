"""What is made to fail: one call of a kind chosen in advance, or any call now and then."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from selfheal.errors import StoreUnavailable

# How a call may fail. In an outage every later call fails too, until the world recovers.
WRITE_FAULTS = ("fails before", "fails after", "outage before", "outage after", "killed before", "killed after")
READ_FAULTS = ("fails before", "outage before", "killed before")
WRITES = ("put", "create", "replace", "send", "start")
# Calls that an outage of random faults lasts.
OUTAGES = (5, 40, 200)


class Died(BaseException):
    """The process is killed: no handler of the code under test may take it for an error of a store."""


class Injector(Protocol):
    """Every call of a store or service goes through one."""

    def call[T](self, name: str, effect: Callable[[], T]) -> T:
        """Let a call take effect, or fail; `name` is service, operation and key."""
        ...


class Nothing:
    """Everything works."""

    def call[T](self, name: str, effect: Callable[[], T]) -> T:  # noqa: ARG002 - the port's argument
        return effect()


def faults_of(name: str) -> tuple[str, ...]:
    """How a call may fail, by what it does."""
    return WRITE_FAULTS if name.split()[1] in WRITES else READ_FAULTS


@dataclass
class OneFault:
    """The call of a number fails (0: none does, all are only counted); `noted` is told when it does."""

    number: int = 0
    fault: str = ""
    noted: Callable[[], object] = lambda: None
    names: list[str] = field(default_factory=list)
    is_down: bool = False

    def call[T](self, name: str, effect: Callable[[], T]) -> T:
        self.names.append(name)
        if self.is_down:
            raise StoreUnavailable(f"{name} is down")
        if len(self.names) != self.number:
            return effect()
        self.noted()
        self.is_down = self.fault.startswith("outage")
        return failing(self.fault, name, effect)


@dataclass
class RandomFaults:
    """Each call fails with some probability, in any way that it can; an outage lasts some calls."""

    rng: random.Random
    share: float
    injected: int = 0
    down_for: int = 0

    def call[T](self, name: str, effect: Callable[[], T]) -> T:
        if self.down_for:
            self.down_for -= 1
            raise StoreUnavailable(f"{name} is down")
        if self.rng.random() > self.share:
            return effect()
        self.injected += 1
        fault = self.rng.choice(faults_of(name))
        if fault.startswith("outage"):
            self.down_for = self.rng.choice(OUTAGES)
        return failing(fault, name, effect)


def failing[T](fault: str, name: str, effect: Callable[[], T]) -> T:
    """A call that fails before or after it took effect, or whose process dies."""
    if fault.endswith("after"):
        effect()
    if fault.startswith("killed"):
        raise Died(name)
    raise StoreUnavailable(f"{name}: {fault}")
