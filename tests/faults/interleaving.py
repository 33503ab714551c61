"""Several actors at once, one store call after the other in an order of the scheduler's choosing."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from selfheal.errors import SelfhealError

PATIENCE = 60.0


@dataclass
class Scheduler:
    """Lets one thread go on at a time, and switches at each call; the same seed is the same order.

    `sticky`: how likely it is that the same thread goes on: low values mix finely, high ones make long strides.
    """

    seed: int
    sticky: float
    steps: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._turn = threading.Condition()
        self._waiting: dict[str, str] = {}
        self._alive: set[str] = set()
        self._running: str | None = None

    def call[T](self, name: str, effect: Callable[[], T]) -> T:
        """An actor's call waits for its turn; others' calls go through."""
        actor = threading.current_thread().name
        if actor in self._alive:
            self._await_turn(actor, name)
        return effect()

    def run(self, actors: Mapping[str, Callable[[], object]]) -> dict[str, BaseException | None]:
        """All actors to their ends; what each raised."""
        ends: dict[str, BaseException | None] = {}
        self._alive = set(actors)
        threads = [
            threading.Thread(target=self._act, args=(name, act, ends), name=name, daemon=True)
            for name, act in actors.items()
        ]
        for thread in threads:
            thread.start()
        last: str | None = None
        while (last := self._next(last)) is not None:
            pass
        for thread in threads:
            thread.join(PATIENCE)
        return ends

    def _act(self, name: str, act: Callable[[], object], ends: dict[str, BaseException | None]) -> None:
        self._await_turn(name, "begins")
        try:
            act()
            ends[name] = None
        except Exception as error:  # noqa: BLE001 - which errors are allowed is for the caller to say
            ends[name] = error
        finally:
            with self._turn:
                self._alive.discard(name)
                self._running = None
                self._turn.notify_all()

    def _await_turn(self, actor: str, name: str) -> None:
        with self._turn:
            self._waiting[actor] = name
            self._running = None
            self._turn.notify_all()
            if not self._turn.wait_for(lambda: self._running == actor, PATIENCE):
                raise TimeoutError(f"{actor} waits for its turn at {name}")

    def _next(self, last: str | None) -> str | None:
        """Give the turn to one of those that wait, once all do; None once nobody is left."""
        with self._turn:
            ready = self._turn.wait_for(lambda: self._running is None and self._waiting.keys() >= self._alive, PATIENCE)
            if not ready:
                raise TimeoutError(f"{self._running} doesn't come back")
            if not self._alive:
                return None
            names = sorted(self._alive)
            chosen = last if last in names and self._rng.random() < self.sticky else self._rng.choice(names)
            self.steps.append((str(chosen), self._waiting.pop(str(chosen))))
            self._running = chosen
            self._turn.notify_all()
            return chosen


def is_expected(error: BaseException | None) -> bool:
    """Whether an actor ended well, or with an error of ours that says what happened."""
    return error is None or isinstance(error, SelfhealError)
