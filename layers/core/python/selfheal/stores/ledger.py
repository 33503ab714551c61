"""The ledger: append-only, hash-chained, without gaps; of two writers of one number, one goes on to the next.

The chain can't show that its last entry is gone. So each entry has a seal beside the chain, which holds its hash.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from selfheal.errors import LedgerBroken, ObjectExists
from selfheal.prefixes import LEDGER, LEDGER_SEALS
from selfheal.records.ledger import GENESIS_HASH, Decision, LedgerEntry, Outcome, Switch, entry_hash
from selfheal.records.story import Story
from selfheal.stores.bucket import Bucket

DIGITS = 12

type Revision = Callable[[Decision, Story], Decision]


class Ledger:
    """`ledger/<zero-padded sequence>.json` of the registry, and `ledger-seals/<zero-padded sequence>.sha256`."""

    def __init__(self, registry: Bucket) -> None:
        self._registry = registry
        # Checked entries never change: an append reads only what others have added since.
        self._seen: tuple[LedgerEntry, ...] = ()

    def entries(self) -> Iterator[LedgerEntry]:
        """All entries, oldest first. Raises LedgerBroken at the first one that doesn't fit the one before it."""
        return self._after(None)

    def story(self, known: Story | None = None) -> Story:
        """What the entries tell, read and checked now; those of `known` were, and aren't read again.

        Raises LedgerBroken as `entries`.
        """
        if known is None or not known.entries:
            return Story(tuple(self.entries()))
        newer = tuple(self._after(known.entries[-1]))
        return Story((*known.entries, *newer)) if newer else known

    def decisions(self) -> list[Decision]:
        """All decisions, oldest first."""
        return [entry.decision for entry in self.entries() if entry.decision is not None]

    def check_seals(self) -> None:
        """Compare the entries with their seals. Raises LedgerBroken where one has another hash, or has gone."""
        entries = list(self.entries())
        seals = dict(self._registry.get_many(self._registry.keys(LEDGER_SEALS)))
        if not seals:  # a ledger of before there were any; the next append makes up for them
            return
        # The last one may lack its seal: its writer ended in between, and the next append makes up for it.
        for entry in entries[:-1] if len(seals) < len(entries) else entries:
            if seals.get(_seal_key(entry.sequence)) != entry.hash.encode():
                raise LedgerBroken(f"{_seal_key(entry.sequence)} doesn't hold the hash of {_key(entry.sequence)}")

    def append_decision(self, decision: Decision, revised: Revision = lambda decision, _: decision) -> LedgerEntry:
        """Append a decision; one that is in the ledger already (by its id) is returned as it stands.

        `revised` says what becomes of it in view of the entries that come before it, all of them and no others.
        """
        return self._append(
            lambda before: {"decision": revised(decision, Story(before))},
            lambda entry: entry.decision is not None and entry.decision.decision_id == decision.decision_id,
        )

    def append_outcome(self, outcome: Outcome) -> LedgerEntry:
        """Append a decision's outcome; a decision that has one already keeps it."""
        return self._append(
            lambda _: {"outcome": outcome},
            lambda entry: entry.outcome is not None and entry.outcome.decision_id == outcome.decision_id,
        )

    def append_switch(self, switch: Switch) -> LedgerEntry:
        """Append a person's pause or its end; one that is in the ledger already (by its id) is returned as it is."""
        return self._append(
            lambda _: {"switch": switch},
            lambda entry: entry.switch is not None and entry.switch.switch_id == switch.switch_id,
        )

    def _append(
        self, content: Callable[[Sequence[LedgerEntry]], dict[str, Any]], is_same: Callable[[LedgerEntry], bool]
    ) -> LedgerEntry:
        seen = self._seen
        while True:
            seen = self._seen = (*seen, *self._after(seen[-1] if seen else None))
            known = next((entry for entry in seen if is_same(entry)), None)
            if known is not None:
                self._seal(seen)
                return known
            previous = seen[-1].hash if seen else GENESIS_HASH
            entry = LedgerEntry(sequence=len(seen) + 1, previous_hash=previous, **content(seen)).sealed()
            try:
                self._registry.create(_key(entry.sequence), entry.to_json())
            except ObjectExists:
                # Another writer took the number (or our own retried write did): look again from the new head.
                continue
            self._seal((*seen, entry))
            return entry

    def _seal(self, entries: Sequence[LedgerEntry]) -> None:
        """Write the seals that are missing: the newest entry's, and any whose writer ended before it came to it."""
        sealed = set(self._registry.keys(LEDGER_SEALS))
        for entry in entries:
            key = _seal_key(entry.sequence)
            if key not in sealed:
                with suppress(ObjectExists):
                    self._registry.create(key, entry.hash.encode())

    def _after(self, head: LedgerEntry | None) -> Iterator[LedgerEntry]:
        sequence, previous = (head.sequence, head.hash) if head else (0, GENESIS_HASH)
        # Listed before the entries: each entry is written before its seal.
        sealed = list(self._registry.keys(LEDGER_SEALS, _seal_key(sequence) if head else ""))
        bodies = dict(self._registry.get_many(self._registry.keys(LEDGER, _key(sequence) if head else "")))
        for expected, key in enumerate(sorted(bodies), start=sequence + 1):
            entry = _checked_entry(key, bodies[key], expected, previous)
            previous = entry.hash
            yield entry
        if sealed and sealed[-1] > _seal_key(sequence + len(bodies)):
            raise LedgerBroken(
                f"{_key(sequence + len(bodies) + 1)} is missing: there is a seal of it or of a later one"
            )


def _key(sequence: int) -> str:
    return f"{LEDGER}{sequence:0{DIGITS}d}.json"


def _seal_key(sequence: int) -> str:
    return f"{LEDGER_SEALS}{sequence:0{DIGITS}d}.sha256"


def _checked_entry(key: str, body: bytes, expected: int, previous: str) -> LedgerEntry:
    try:
        entry = LedgerEntry.model_validate_json(body)
    except ValidationError as error:
        raise LedgerBroken(f"{key} isn't a ledger entry that can be read: restore it") from error
    if key != _key(expected) or entry.sequence != expected:
        raise LedgerBroken(f"{key} holds entry {entry.sequence} where entry {expected} belongs: one is missing")
    if entry.previous_hash != previous:
        raise LedgerBroken(f"{key} doesn't hold the hash of the entry before it: that entry was changed")
    if entry.hash != entry_hash(json.loads(body)):
        raise LedgerBroken(f"{key} doesn't have the hash that it records: it was changed")
    return entry
