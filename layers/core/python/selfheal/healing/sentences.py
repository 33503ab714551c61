"""Each decision as one sentence for people: subject of a message, line of a history."""

from selfheal.records.ledger import Decision

_SENTENCES = {
    "bootstrap": "{version} is the first production model",
    "promote": "{version} replaced {previous_version} in production",
    "reject": "{version} was rejected, {previous_version} stays in production",
    "rollback": "{version} is back in production instead of {previous_version}",
    "skip": "no healing was due, {previous_version} stays in production",
    "failed": "the healing failed, {previous_version} stays in production",
}


def sentence_of(decision: Decision, *, is_applied: bool = True) -> str:
    """What was decided about which version, and why; `is_applied` is False where a move lost its swap."""
    known = {"version": decision.version or "no version", "previous_version": decision.previous_version or "no version"}
    said = _SENTENCES[decision.kind].format(**known)
    lost = "" if is_applied else "NOT applied (another writer was first): "
    return f"{lost}{said}: {decision.reason}"
