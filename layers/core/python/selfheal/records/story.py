"""The story that the ledger tells: its entries folded once, and what follows from them. Read once, handed on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from selfheal.contract.model import Policy
from selfheal.records.ledger import Decision, LedgerEntry, Outcome, Switch
from selfheal.records.pointer import Pointer

# Longer than any function may run: a move that is older and has no outcome was interrupted.
INTERRUPTED_AFTER = timedelta(minutes=15)
# The moves that start a cooldown; the first model of an environment has replaced none.
REPLACEMENTS = frozenset({"promote", "rollback"})


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause, and where in the ledger it stands."""

    sequence: int
    switch: Switch


@dataclass(frozen=True, eq=False)
class Story:
    """All entries of a ledger, oldest first, as one reading found them."""

    entries: Sequence[LedgerEntry] = ()

    @cached_property
    def decisions(self) -> tuple[Decision, ...]:
        """All decisions, oldest first."""
        return tuple(entry.decision for entry in self.entries if entry.decision)

    @cached_property
    def _decisions(self) -> dict[str, Decision]:
        return {decision.decision_id: decision for decision in reversed(self.decisions)}

    @cached_property
    def _outcomes(self) -> dict[str, Outcome]:
        return {entry.outcome.decision_id: entry.outcome for entry in reversed(self.entries) if entry.outcome}

    def decision(self, decision_id: str) -> Decision | None:
        """The decision of that id; None where there is none (yet)."""
        return self._decisions.get(decision_id)

    def decision_of(self, execution: str) -> Decision | None:
        """The newest decision of a healing; None while it has made none."""
        return next((known for known in reversed(self.decisions) if known.execution == execution), None)

    def decisions_about(self, version: str) -> list[Decision]:
        """Decisions that name a version, as the new one or as the one in production then."""
        return [known for known in self.decisions if version in {known.version, known.previous_version}]

    def outcome_of(self, decision: Decision) -> Outcome | None:
        """What became of a decision; None where that isn't known (yet)."""
        return self._outcomes.get(decision.decision_id)

    # Moves of production

    @cached_property
    def last_move(self) -> datetime | None:
        """When production was last changed by a promotion or a rollback; None where it never was."""
        moves = [known for known in self.decisions if known.kind in REPLACEMENTS and not self._is_lost(known)]
        return max((move.decided_at for move in moves), default=None)

    def cooldown_ends(self, policy: Policy) -> datetime | None:
        """When the next promotion through the gates is allowed; None where no promotion or rollback came before."""
        return None if self.last_move is None else self.last_move + timedelta(days=policy.gates.cooldown_days)

    def next_start_allowed(self, policy: Policy) -> datetime | None:
        """When the next automatic healing may start: `retry_hours` after any decision, and after the cooldown."""
        retry = timedelta(hours=policy.retraining.retry_hours)
        cooldown = self.cooldown_ends(policy)
        moments = [known.decided_at + retry for known in self.decisions]
        return max([*moments, *([cooldown] if cooldown else [])], default=None)

    def unsettled(self, now: datetime) -> list[Decision]:
        """Moves without an outcome that nobody can be at any more, oldest first."""
        return [move for move in self.open_moves if move.decided_at <= now - INTERRUPTED_AFTER]

    @property
    def open_moves(self) -> list[Decision]:
        """Moves whose outcome isn't known (yet), oldest first."""
        return [known for known in self.decisions if known.is_move and self.outcome_of(known) is None]

    def ever_in_production(self, current: str | None) -> set[str]:
        """Decisions that production has rested on: the current one, those recorded as done, and what these replaced.

        A decision replaces only the one that production rests on, so that one whose outcome isn't written (yet) is
        known by its successor.
        """
        done = [decision_id for decision_id, outcome in self._outcomes.items() if outcome.kind == "done"]
        found = set[str]()
        for newest in (*done, current):
            decision_id = newest
            while decision_id is not None and decision_id not in found:
                found.add(decision_id)
                known = self.decision(decision_id)
                decision_id = known.replaces if known else None
        return found

    def versions_in_line(self, production: Pointer) -> list[str]:
        """The versions that production stands on, in the order in which they came, production last.

        Each replaced the one before it and has not been taken back since. A rollback leads back to the version that it
        names and takes out all that came after; one to a version that isn't in the line (any more) brings it in anew,
        as a promotion does.
        """
        moved = self.ever_in_production(production.decision_id)
        line: list[str] = []
        for move in self.decisions:
            version = str(move.version)
            if move.decision_id not in moved:
                continue
            if move.kind == "rollback" and version in line:
                del line[len(line) - line[::-1].index(version) :]
            else:
                line.append(version)
        return line

    def _is_lost(self, decision: Decision) -> bool:
        outcome = self.outcome_of(decision)
        return outcome is not None and outcome.kind == "conflict"

    # Healings, and the rows that judged them

    def attempts(self, version: str) -> int:
        """How many healings of a version have ended: the number of the next one."""
        executions = {known.execution for known in self.decisions if known.execution is not None}
        return sum(healed_version(execution) == version for execution in executions)

    def judged_until(self, version: str) -> datetime | None:
        """The newest row by which a version was judged, in whatever decision; None where it never was."""
        return max(_newest_rows(known for known in self.decisions if known.version == version), default=None)

    def rivals_judged_until(self, version: str) -> datetime | None:
        """The newest row by which an attempt to replace a version was judged; None where none was."""
        return max(_newest_rows(known for known in self.decisions if _is_rival(known, version)), default=None)

    # Pauses

    @cached_property
    def pauses(self) -> tuple[Pause, ...]:
        """All pauses that people commanded, oldest first."""
        return tuple(
            Pause(entry.sequence, entry.switch)
            for entry in self.entries
            if entry.switch is not None and entry.switch.paused
        )

    @cached_property
    def pause(self) -> Pause | None:
        """The pause that the newest switch began; None where automatic promotion is on."""
        newest = next((entry for entry in reversed(self.entries) if entry.switch), None)
        return self.pauses[-1] if newest and newest.switch and newest.switch.paused else None

    def pause_after(self, decision: Decision) -> Pause | None:
        """The newest pause since a decision, which stops it, also where it is over; None where nothing stops it."""
        if not decision.is_automatic:
            return None
        for entry in reversed(self.entries):
            if entry.switch and entry.switch.paused:
                return Pause(entry.sequence, entry.switch)
            if entry.decision and entry.decision.decision_id == decision.decision_id:
                return None
        return None

    @cached_property
    def decided_under_a_pause(self) -> frozenset[str]:
        """Ids of decisions that were written while automatic promotion was paused."""
        found, paused = set[str](), False
        for entry in self.entries:
            paused = entry.switch.paused if entry.switch else paused
            if entry.decision and paused:
                found.add(entry.decision.decision_id)
        return frozenset(found)


def healed_version(execution: str) -> str:
    """The production version that a healing set out to replace."""
    return execution.rpartition("-")[0]


def _is_rival(decision: Decision, version: str) -> bool:
    return decision.previous_version == version and decision.kind != "rollback"


def _newest_rows(decisions: Iterable[Decision]) -> Iterator[datetime]:
    for decision in decisions:
        if decision.evidence is not None and decision.evidence.newest is not None:
            yield decision.evidence.newest
