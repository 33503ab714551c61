"""The ledger: append-only, hash-chained, without gaps; of two writers of one number, one goes on to the next."""

import json
from collections.abc import Callable, Iterator

from selfheal.errors import LedgerBroken, ObjectExists
from selfheal.records.ledger import GENESIS_HASH, Decision, LedgerEntry, Outcome, entry_hash
from selfheal.stores.bucket import Bucket

PREFIX = "ledger/"
DIGITS = 12


class Ledger:
    """`ledger/<zero-padded sequence>.json` of the registry."""

    def __init__(self, registry: Bucket) -> None:
        self._registry = registry

    def entries(self) -> Iterator[LedgerEntry]:
        """All entries, oldest first. Raises LedgerBroken at the first one that doesn't fit the one before it."""
        bodies = dict(self._registry.get_many(self._registry.keys(PREFIX)))
        previous = GENESIS_HASH
        for expected, key in enumerate(sorted(bodies), start=1):
            entry = _checked_entry(key, bodies[key], expected, previous)
            previous = entry.hash
            yield entry

    def decisions(self) -> list[Decision]:
        """All decisions, oldest first."""
        return [entry.decision for entry in self.entries() if entry.decision is not None]

    def append_decision(self, decision: Decision) -> LedgerEntry:
        """Append a decision; one that is in the ledger already (by its id) is returned as it stands."""
        return self._append(
            lambda sequence, previous: LedgerEntry(sequence=sequence, previous_hash=previous, decision=decision),
            lambda entry: entry.decision is not None and entry.decision.decision_id == decision.decision_id,
        )

    def append_outcome(self, outcome: Outcome) -> LedgerEntry:
        """Append a decision's outcome; a decision that has one already keeps it."""
        return self._append(
            lambda sequence, previous: LedgerEntry(sequence=sequence, previous_hash=previous, outcome=outcome),
            lambda entry: entry.outcome is not None and entry.outcome.decision_id == outcome.decision_id,
        )

    def _append(self, build: Callable[[int, str], LedgerEntry], is_same: Callable[[LedgerEntry], bool]) -> LedgerEntry:
        while True:
            head: LedgerEntry | None = None
            for entry in self.entries():
                if is_same(entry):
                    return entry
                head = entry
            sequence = 1 if head is None else head.sequence + 1
            entry = build(sequence, GENESIS_HASH if head is None else head.hash).sealed()
            try:
                self._registry.create(f"{PREFIX}{sequence:0{DIGITS}d}.json", entry.to_json())
            except ObjectExists:
                # Another writer took the number (or our own retried write did): look again from the new head.
                continue
            return entry


def _checked_entry(key: str, body: bytes, expected: int, previous: str) -> LedgerEntry:
    entry = LedgerEntry.model_validate_json(body)
    if key != f"{PREFIX}{expected:0{DIGITS}d}.json" or entry.sequence != expected:
        raise LedgerBroken(f"{key} holds entry {entry.sequence} where entry {expected} belongs: one is missing")
    if entry.previous_hash != previous:
        raise LedgerBroken(f"{key} doesn't hold the hash of the entry before it: that entry was changed")
    if entry.hash != entry_hash(json.loads(body)):
        raise LedgerBroken(f"{key} doesn't have the hash that it records: it was changed")
    return entry
