"""What a policy did: who answered when, and each change, with what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from selfheal.tasks.port import Floats
from selfheal_tools.backtest.records import Move, PeriodResult, Refusal
from selfheal_tools.backtest.scoring import SIGNIFICANCE, Answers, measured, worse_by
from selfheal_tools.backtest.stream import Span, Stream

# What a version, by its name, says of the rows of the traffic from one position to another.
type Scorer = Callable[[str, int, int], Floats]


@dataclass(frozen=True, slots=True)
class Change:
    """A decision at some moment, in force from the row at `row` on."""

    kind: Literal["promote", "rollback", "reject", "skip", "failed"]
    period: int
    at: datetime
    row: int
    version: str | None
    previous_version: str
    reason: str
    gates: tuple[str, ...] = ()

    @property
    def moves(self) -> bool:
        """Whether another version answers from then on."""
        return self.kind in {"promote", "rollback"}


@dataclass(frozen=True, eq=False)
class PolicyRun:
    """A policy's whole run. versions: shape (rows,), who answered each row."""

    answers: Answers
    versions: NDArray[np.object_]
    changes: tuple[Change, ...]
    retrainings: int
    training_seconds: float
    scorer: Scorer = field(repr=False)

    def per_period(self, stream: Stream) -> tuple[PeriodResult, ...]:
        """Its metrics in each period."""
        return tuple(self._period(span) for span in stream.spans)

    def _period(self, span: Span) -> PeriodResult:
        metrics = measured(self.answers.take(span.rows))
        names = tuple(dict.fromkeys(self.versions[span.rows].tolist()))
        return PeriodResult(**metrics.model_dump(), period=span.number, versions=names)

    def moves(self, stream: Stream) -> tuple[Move, ...]:
        """Each promotion and rollback, and whether it did harm."""
        return tuple(self._move(change, stream) for change in self.changes if change.moves)

    def refusals(self, stream: Stream) -> tuple[Refusal, ...]:
        """Each retraining that changed nothing, and what was missed by that."""
        return tuple(self._refusal(change, stream) for change in self.changes if not change.moves)

    def _move(self, change: Change, stream: Stream) -> Move:
        rise = self._rise(change)
        return Move(
            period=change.period,
            at=stream.told(change.at),
            reason=stream.told_text(change.reason),
            kind="rollback" if change.kind == "rollback" else "promote",
            version=change.version or "",
            previous_version=change.previous_version,
            gain=None if rise is None else -rise[0],
            p_value=None if rise is None else rise[1],
            harmful=rise is not None and rise[0] > 0 and rise[1] <= SIGNIFICANCE,
        )

    def _refusal(self, change: Change, stream: Stream) -> Refusal:
        rise = self._rise(change)
        kind: Literal["reject", "skip", "failed"] = "skip" if change.kind == "skip" else "failed"
        return Refusal(
            period=change.period,
            at=stream.told(change.at),
            reason=stream.told_text(change.reason),
            kind="reject" if change.kind == "reject" else kind,
            version=change.version,
            gates=change.gates,
            gain=None if rise is None else -rise[0],
        )

    def _rise(self, change: Change) -> tuple[float, float] | None:
        """How much worse the version is than the one before it, on the rows until production moves again."""
        end = min((other.row for other in self.changes if other.moves and other.row > change.row), default=None)
        rows = slice(change.row, len(self.answers) if end is None else end)
        if change.version is None or rows.stop <= rows.start:
            return None
        task, labels = self.answers.task, self.answers.labels[rows]
        before, after = (
            task.losses(self.scorer(name, rows.start, rows.stop), labels)
            for name in (change.previous_version, change.version)
        )
        return worse_by(before, after, self.answers.timestamps[rows])


def joined(parts: Sequence[Answers]) -> Answers:
    """The answers of several periods as one."""
    return Answers(
        np.concatenate([part.timestamps for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.predictions for part in parts]),
        parts[0].task,
    )
