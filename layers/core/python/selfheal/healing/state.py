"""What a healing came to, read from the state that its state machine has gathered, whatever that holds."""

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from selfheal.errors import RecordIncompatible
from selfheal.records.base import Record
from selfheal.records.healing import Ending, LabelProgress, Training, Verdict
from selfheal.records.ledger import Approval
from selfheal.text import bounded

# A notification's sentence, not a stack trace.
LONGEST_CAUSE = 300
# Lambda's own word and the state machine's.
TIMED_OUT = re.compile(r"tim(ed|e) ?out", re.IGNORECASE)
TRAINING_LATE = (
    "; training was still running and was ended: where the contract names a trainer it may hang, try it with "
    "`selfheal contract check`, else shorten policy.retraining.window"
)


def result_of(state: Mapping[str, Any]) -> Verdict | Ending:
    """The verdict, or how the healing ended without one; never an error.

    Args:
        state: the state machine's state: `training`, `labels`, `verdict` and `approval` as far as it came, `failure`
            (an object of `Error` and `Cause`) where a task failed.
    """
    training = _read(Training, state, "training")
    verdict = _read(Verdict, state, "verdict")
    version = verdict.version if verdict else training.version if training else None
    if "failure" in state:
        told = _told(state["failure"])
        is_late = "training" not in state and TIMED_OUT.search(told) is not None
        return Ending(kind="failed", reason=told + TRAINING_LATE if is_late else told, version=version)
    if training is None:
        return Ending(kind="failed", reason="shadow training returned nothing that can be used")
    if training.outcome != "trained":
        return Ending(kind=training.outcome, reason=training.reason, version=version)
    if verdict is None:
        return Ending(kind="failed", reason=_unjudged(state), version=version)
    return _approved(verdict, state)


def _approved(verdict: Verdict, state: Mapping[str, Any]) -> Verdict | Ending:
    if not verdict.approval_seconds or verdict.kind != "promote":
        return verdict
    approval = _read(Approval, state, "approval")
    if approval is None:
        return Ending(kind="failed", reason="the approval is nothing that can be used", version=verdict.version)
    said = f"{'approved' if approval.approved else 'refused'} by {approval.by}: {approval.reason}"
    kind = "promote" if approval.approved else "reject"
    answered = {"kind": kind, "reason": f"{said}; {verdict.reason}", "approval": approval}
    return verdict.model_copy(update=answered)


def _unjudged(state: Mapping[str, Any]) -> str:
    if "verdict" in state:
        return "the gate evaluation returned nothing that can be used"
    progress = _read(LabelProgress, state, "labels")
    if progress is None:
        return "the label wait returned nothing that can be used"
    return f"the label wait didn't end: {progress.reason}"


def _read[Kind: Record](kind: type[Kind], state: Mapping[str, Any], key: str) -> Kind | None:
    try:
        return kind.model_validate(state.get(key))
    except (ValidationError, RecordIncompatible):
        return None


def _told(failure: Any) -> str:
    if not isinstance(failure, Mapping):
        return "a task failed without saying why"
    error, cause = str(failure.get("Error", "")), str(failure.get("Cause", ""))
    return f"{error or 'a task failed'}: {bounded(_message(cause), LONGEST_CAUSE) or 'no cause was given'}"


def _message(cause: str) -> str:
    # Lambda describes an error as JSON.
    try:
        described = json.loads(cause)
    except ValueError:
        return cause
    return str(described.get("errorMessage", cause)) if isinstance(described, dict) else cause
