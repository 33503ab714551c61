"""The versions that production stands on: each replaced the one before it and has not been taken back since."""

from collections.abc import Sequence

from selfheal.records.ledger import Decision, LedgerEntry
from selfheal.records.pointer import Pointer


def versions_in_line(entries: Sequence[LedgerEntry], production: Pointer) -> list[str]:
    """The versions in the order in which they came, production last.

    A rollback leads back to the version that it names and takes out all that came after; one to a version that isn't in
    the line (any more) brings it in anew, as a promotion does.
    """
    line: list[str] = []
    for move in _moves(entries, production):
        version = str(move.version)
        if move.kind == "rollback" and version in line:
            del line[len(line) - line[::-1].index(version) :]
        else:
            line.append(version)
    return line


def ever_in_production(entries: Sequence[LedgerEntry], current: str | None) -> set[str]:
    """Decisions that production has rested on: the current one, those recorded as done, and what these replaced.

    A decision replaces only the one that production rests on, so that one whose outcome isn't written (yet) is known by
    its successor.
    """
    replaced = {entry.decision.decision_id: entry.decision.replaces for entry in entries if entry.decision}
    known = {entry.outcome.decision_id for entry in entries if entry.outcome and entry.outcome.kind == "done"}
    found = set[str]()
    for decision_id in (*known, current):
        before = decision_id
        while before is not None and before not in found:
            found.add(before)
            before = replaced.get(before)
    return found


def _moves(entries: Sequence[LedgerEntry], production: Pointer) -> list[Decision]:
    """The decisions that moved production, in order."""
    moved = ever_in_production(entries, production.decision_id)
    return [entry.decision for entry in entries if entry.decision and entry.decision.decision_id in moved]
