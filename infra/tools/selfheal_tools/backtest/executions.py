"""Healings without Step Functions: the states of `infra/cloud/state_machine.asl.json`, in this process.

The functions' handlers only translate, so that their use cases are called with what the states would hand over. Waits
are entries in a queue: who drives the clock asks what is due.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from selfheal.errors import HealingRefused, SelfhealError
from selfheal.healing.state import result_of
from selfheal.records.healing import Conclusion, Healing, LabelProgress, Training, Verdict
from selfheal.stores.collection import Stores
from selfheal.stores.executions import Execution
from selfheal.usecases.heal.await_labels import await_labels
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates

# As the state machine: a wait has at most 200 looks and the last one.
MOST_LOOKS = 210

type Trainer = Callable[[Stores, Healing, datetime], Training]


@dataclass
class _Run:
    """One healing and the state that it has gathered."""

    healing: Healing
    training: Training | None = None
    looks: int = 0
    state: dict[str, Any] = field(default_factory=dict)


class InProcessExecutions:
    """The port that monitoring starts healings through. `train` is the use case of shadow training."""

    def __init__(self, stores: Stores, train: Trainer, told: Callable[[Conclusion], None]) -> None:
        self._stores, self._train, self._told = stores, train, told
        self._statuses: dict[str, str] = {}
        self._waiting: list[tuple[datetime, _Run]] = []

    def start(self, healing: Healing) -> None:
        """Start a healing; its first state is due at once. Raises HealingRefused."""
        if healing.execution in self._statuses:
            raise HealingRefused(f"healing {healing.execution} was started before; wait for its end")
        self._statuses[healing.execution] = "RUNNING"
        self._waiting.append((healing.started_at, _Run(healing)))

    def recent(self) -> Sequence[Execution]:
        """All executions, newest first."""
        return [Execution(name, status) for name, status in reversed(self._statuses.items())]

    def due(self) -> datetime | None:
        """When the next state is due; None where no healing is under way."""
        return min((moment for moment, _ in self._waiting), default=None)

    def step(self, now: datetime) -> None:
        """Run everything that is due."""
        due = [run for moment, run in self._waiting if moment <= now]
        self._waiting = [(moment, run) for moment, run in self._waiting if moment > now]
        for run in due:
            self._advance(run, now)

    def _advance(self, run: _Run, now: datetime) -> None:
        try:
            wait = self._states(run, now)
        except SelfhealError as error:
            run.state["failure"] = {"Error": type(error).__name__, "Cause": str(error)}
            wait = None
        if wait is not None:
            self._waiting.append((now + wait, run))
            return
        self._told(conclude(self._stores, run.healing, result_of(run.state), now))
        self._statuses[run.healing.execution] = "SUCCEEDED"

    def _states(self, run: _Run, now: datetime) -> timedelta | None:
        """From the present state to the next wait (how long it is), or to the conclusion (None)."""
        if run.training is None:
            run.training = self._train(self._stores, run.healing, now)
            run.state["training"] = run.training.model_dump(mode="json")
            if run.training.outcome != "trained":
                return None
        progress = await_labels(self._stores, run.healing, run.training, now)
        run.state["labels"] = progress.model_dump(mode="json")
        if not progress.ready:
            return _wait_of(progress, run)
        run.state["verdict"] = self._verdict(run, run.training, now).model_dump(mode="json")
        return None

    def _verdict(self, run: _Run, training: Training, now: datetime) -> Verdict:
        verdict = evaluate_gates(self._stores, run.healing, training, now)
        # A replay has nobody to ask: what the gates let pass counts as approved.
        return verdict.model_copy(update={"approval_seconds": 0})


def _wait_of(progress: LabelProgress, run: _Run) -> timedelta | None:
    if run.looks >= MOST_LOOKS:
        return None
    run.looks += 1
    return timedelta(seconds=progress.wait_seconds)
