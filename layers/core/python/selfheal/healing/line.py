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


def _moves(entries: Sequence[LedgerEntry], production: Pointer) -> list[Decision]:
    """The decisions that moved production; the newest one's outcome may not be written yet."""
    done = {entry.outcome.decision_id for entry in entries if entry.outcome and entry.outcome.kind == "done"}
    done.add(production.decision_id)
    return [entry.decision for entry in entries if entry.decision and entry.decision.decision_id in done]
