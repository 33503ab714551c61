"""Each decision as one sentence for people: a message, a line of a history. It holds whatever happens next."""

from selfheal.records.ledger import Decision, GateResult, Outcome
from selfheal.records.story import Story

_SENTENCES = {
    "bootstrap": "{version} is the first production model",
    "promote": "{version} replaced {previous_version} in production",
    "reject": "{version} was rejected and doesn't replace {previous_version}",
    "rollback": "{version} is back in production instead of {previous_version}",
    "skip": "the healing of {previous_version} was skipped",
    "failed": "the healing of {previous_version} failed",
}
_NOT_CARRIED_OUT = {
    "bootstrap": "{version} did NOT become the first production model",
    "promote": "{version} did NOT replace {previous_version} in production",
    "rollback": "{version} did NOT come back into production instead of {previous_version}",
}


def sentence_of(decision: Decision, outcome: Outcome | None = None) -> str:
    """What was decided about which version, and why; with the outcome of a move, what became of it."""
    known = {"version": decision.version or "no version", "previous_version": decision.previous_version or "no version"}
    if outcome is None or outcome.kind == "done":
        return f"{_SENTENCES[decision.kind].format(**known)}: {decision.reason}"
    because = f"{outcome.reason} (it was decided because: {decision.reason})"
    return f"{_NOT_CARRIED_OUT[decision.kind].format(**known)}: {because}"


def told(decision: Decision, story: Story) -> str:
    """What was decided and what became of it, as far as the ledger knows."""
    outcome = story.outcome_of(decision)
    is_open = decision.is_move and outcome is None
    return f"{'(not confirmed yet) ' if is_open else ''}{sentence_of(decision, outcome)}"


def named_reason(gate: GateResult) -> str:
    """A gate's reason, and the groups that it fails for by their names."""
    return f"{gate.reason}; namely: {', '.join(gate.groups)}" if gate.groups else gate.reason
