"""The ledger's entries: a decision and, as a second entry, its outcome; each holds the hash of the one before it.

People's pauses of automatic promotion stand between them: what was decided under a pause is there to be seen.
"""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from selfheal.contract.model import left_out_if
from selfheal.records.base import Name, Phrase, Reason, Record, UtcTime

DecisionKind = Literal["bootstrap", "promote", "reject", "rollback", "skip", "failed"]
OutcomeKind = Literal["done", "conflict"]

MOVES = frozenset({"bootstrap", "promote", "rollback"})
GENESIS_HASH = "0" * 64


class GateResult(Record):
    """One gate's verdict on a promotion; missing evidence is `passed=False` with value None.

    interval: central 95 % of what the gate measures (for paired evidence: of the mean Brier gain per row).
    groups: names of the groups that the reason speaks of. They hold callers' values, which `reason` doesn't: it goes
    into mails and logs.
    """

    gate: str
    passed: bool
    value: float | None
    threshold: float | None
    n: int
    interval: tuple[float, float] | None = None
    reason: Phrase
    groups: tuple[Name, ...] = ()


class Circumstances(Record):
    """What a gate verdict depends on besides its rows.

    last_move: the last promotion through the gates or rollback. coverage: labelled / all predictions, of the
    `predictions` that are old enough for their labels to have come; None where there are none. newest_disagreement: the
    mean squared difference of the two models' probabilities on the `newest_requests` is at least this, labels or none;
    None where nobody looked. sampled_from: of so many predictions these and the rows are a sample; 0: they are all.
    """

    judged_at: UtcTime
    last_move: UtcTime | None
    predictions: int
    coverage: float | None
    newest_requests: int = 0
    newest_disagreement: float | None = None
    sampled_from: Annotated[int, left_out_if(default=0)] = 0


class Evidence(Record):
    """Where the rows behind a verdict lie, and their hash."""

    key: str
    sha256: str
    rows: int
    oldest: UtcTime | None
    newest: UtcTime | None
    circumstances: Circumstances | None = None


class Approval(Record):
    """What a person (`by`) said to a promotion that every gate had passed."""

    approved: bool
    by: Name
    reason: Reason


class Decision(Record):
    """What was decided and why.

    version: the one that the decision is about (what was promoted or taken back; for a reject the version that was
    trained), None where none was. manifest_sha256: hash of its manifest, which holds the hash of each of its artefacts.
    previous_version: the production version at the time. replaces: the decision that production rested on then; a move
    is carried out only while it still does. execution: the healing's name, None for a person's command.
    """

    decision_id: str
    kind: DecisionKind
    decided_at: UtcTime
    version: str | None
    previous_version: str | None
    replaces: str | None = None
    reason: Reason
    trigger: Name
    actor: Name
    execution: str | None = None
    gates: tuple[GateResult, ...] = ()
    evidence: Evidence | None = None
    manifest_sha256: str | None = None
    approval: Approval | None = None

    @property
    def is_move(self) -> bool:
        """Whether it changes which version answers, and so has an outcome."""
        return self.kind in MOVES

    @property
    def is_automatic(self) -> bool:
        """Whether a healing promotes: what a pause stops. What people command goes on, as do rollbacks."""
        return self.kind == "promote" and self.execution is not None


class Outcome(Record):
    """What became of a decision that moves the production pointer."""

    decision_id: str
    kind: OutcomeKind
    recorded_at: UtcTime
    reason: Reason


class Switch(Record):
    """What a person (`actor`) commanded: from this entry on automatic promotion is paused, or goes on again."""

    switch_id: str
    paused: bool
    changed_at: UtcTime
    reason: Reason
    actor: Name


class LedgerEntry(Record):
    """One link of the chain: exactly one of `decision`, `outcome` and `switch` is set."""

    sequence: int
    previous_hash: str
    decision: Decision | None = None
    outcome: Outcome | None = None
    switch: Switch | None = None
    hash: str = ""

    def sealed(self) -> Self:
        """The entry with its own hash."""
        return self.model_copy(update={"hash": entry_hash(self.model_dump(mode="json"))})


def entry_hash(stored: dict[str, Any]) -> str:
    """SHA-256 of an entry's JSON without its `hash`, keys sorted.

    Of the stored fields, not of the record: a field that a later version adds leaves the hashes of old entries alone.
    """
    content = {key: value for key, value in stored.items() if key != "hash"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
