"""Several actors at once, one store call after the other in an order of the scheduler's choosing."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from selfheal.errors import SelfhealError

PATIENCE = 60.0


@dataclass
class Actor:
    """Something that is done in a thread of its own, a call at a time; `doing` is the call that waits for its turn."""

    act: Callable[[], object]
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    doing: str = "begins"
    has_ended: bool = False
    error: BaseException | None = None


@dataclass
class Scheduler:
    """Lets one actor go on at a time, and chooses anew at each call; the same seed is the same order.

    `sticky`: how likely it is that the same actor goes on: low values mix finely, high ones make long strides.
    """

    seed: int
    sticky: float
    steps: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._actors: dict[str, Actor] = {}
        self._returned = threading.Semaphore(0)

    def call[T](self, name: str, effect: Callable[[], T]) -> T:
        """An actor's call waits for its turn; others' calls go through."""
        actor = self._actors.get(threading.current_thread().name)
        if actor is not None:
            actor.doing = name
            self._returned.release()
            _acquire(actor.turn, name)
        return effect()

    def run(self, actors: Mapping[str, Callable[[], object]]) -> dict[str, BaseException | None]:
        """All actors to their ends; what each raised."""
        self._actors = {name: Actor(act) for name, act in actors.items()}
        for name, actor in self._actors.items():
            threading.Thread(target=self._thread, args=(actor,), name=name, daemon=True).start()
        last = ""
        while alive := [name for name, actor in self._actors.items() if not actor.has_ended]:
            last = last if last in alive and self._rng.random() < self.sticky else self._rng.choice(alive)
            self.steps.append((last, self._actors[last].doing))
            self._actors[last].turn.release()
            _acquire(self._returned, last)
        return {name: actor.error for name, actor in self._actors.items()}

    def _thread(self, actor: Actor) -> None:
        _acquire(actor.turn, "the beginning")
        try:
            actor.act()
        except Exception as error:  # noqa: BLE001 - which errors are allowed is for the caller to say
            actor.error = error
        finally:
            actor.has_ended = True
            self._returned.release()


def _acquire(semaphore: threading.Semaphore, what: str) -> None:
    if not semaphore.acquire(timeout=PATIENCE):
        raise TimeoutError(f"{what} didn't come back")


def is_expected(error: BaseException | None) -> bool:
    """Whether an actor ended well, or with an error of ours that says what happened."""
    return error is None or isinstance(error, SelfhealError)
