"""What travels through the state machine: one small record a step, under one key each."""

from typing import Literal

from selfheal.records.base import Reason, Record, Sentence, UtcTime
from selfheal.records.ledger import Approval, Decision, DecisionKind, Evidence, GateResult

TriggerKind = Literal["drift", "decay", "growth", "manual"]


class Trigger(Record):
    """Why a healing was started; `run` is the key of the monitoring run that asked for it."""

    kind: TriggerKind
    reason: Reason
    run: str | None = None


class Healing(Record):
    """Input of the state machine, `$.healing`.

    `production_decision` is what production rests on, and has to rest on still when a promotion replaces it.
    """

    execution: str
    request_id: str
    started_at: UtcTime
    production_version: str
    production_decision: str = ""
    trigger: Trigger


class Training(Record):
    """Result of shadow training, `$.training`.

    version: the one that was trained, without the newest rows. Rows from `evaluation_from` on judge its blend.
    """

    outcome: Literal["trained", "skip", "failed"]
    reason: Reason
    version: str | None = None
    evaluation_from: UtcTime | None = None


class LabelProgress(Record):
    """Result of one look at the labels, `$.labels`. `wait_seconds` is how long to wait before the next look."""

    ready: bool
    reason: Reason
    labelled: int
    predictions: int
    coverage: float
    deadline: UtcTime
    wait_seconds: int


class Verdict(Record):
    """Result of the gate evaluation, `$.verdict`.

    version: the one that is promoted, or the one that was trained and is rejected.
    approval_seconds: how long a person may take to approve the promotion; 0: nobody is asked. approval: the answer.
    """

    version: str
    kind: Literal["promote", "reject"]
    reason: Reason
    gates: tuple[GateResult, ...]
    evidence: Evidence | None
    approval_seconds: int = 0
    approval: Approval | None = None


class Conclusion(Record):
    """Result of the promotion function, `$.conclusion`: the decision as the ledger has it, and its sentence."""

    decision: Decision
    applied: bool
    sentence: Sentence


class Ending(Record):
    """What the promotion function is asked to write when a healing ends without a verdict."""

    kind: DecisionKind
    reason: Reason
    version: str | None = None
