"""What goes wrong, how often, and when: one seeded source for the services' proxy and the functions."""

import random
import threading
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

type CallFault = Literal["refused", "slow", "unanswered", "twice"]
type RunFault = Literal["killed", "out of time"]

# A share of all calls to AWS: refused before they do anything; slow; done, and the answer lost; done twice.
CALLS: Mapping[CallFault, float] = MappingProxyType(
    {"refused": 0.01, "slow": 0.01, "unanswered": 0.005, "twice": 0.005}
)
# A share of all invocations: the process is killed somewhere within; it has less time than it needs.
RUNS: Mapping[RunFault, float] = MappingProxyType({"killed": 0.01, "out of time": 0.005})


class Weather:
    """Says what is to go wrong with the next call or run, and counts it. Calm until `begin`."""

    def __init__(self, seed: int) -> None:
        self._rng, self._lock = random.Random(seed), threading.Lock()
        self._is_calm = True
        self.is_away = False
        self.injected: Counter[str] = Counter()

    def begin(self) -> None:
        """From now on things go wrong."""
        self._is_calm = False

    def end(self) -> None:
        """From now on nothing does."""
        self._is_calm, self.is_away = True, False

    def of_call(self) -> CallFault | None:
        """What goes wrong with the next call; while the services are away each one is refused."""
        if self.is_away:
            return self._counted("refused")
        return self._drawn(CALLS)

    def of_run(self) -> RunFault | None:
        """What goes wrong with the next invocation."""
        return self._drawn(RUNS)

    def seconds(self, longest: float) -> float:
        """A time at random."""
        with self._lock:
            return self._rng.uniform(0.0, longest)

    def _drawn[Fault: str](self, shares: Mapping[Fault, float]) -> Fault | None:
        if self._is_calm:
            return None
        with self._lock:
            place = self._rng.random()
        for fault, share in shares.items():
            if place < share:
                return self._counted(fault)
            place -= share
        return None

    def _counted[Fault: str](self, fault: Fault) -> Fault:
        with self._lock:
            self.injected[fault] += 1
        return fault
