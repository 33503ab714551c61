"""Each decision as one sentence for people: a message, a line of a history. It holds whatever happens next."""

from selfheal.records.ledger import Decision, Outcome

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
