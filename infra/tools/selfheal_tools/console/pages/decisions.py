"""Decisions: the ledger as a story, and one decision with its gates and what they were judged on."""

from dataclasses import dataclass

from selfheal.healing.sentences import named_reason, told
from selfheal.records.ledger import Decision, GateResult, LedgerEntry, Switch
from selfheal.records.story import Story
from selfheal_tools.console.words import moment, number

PER_PAGE = 50
TONES = {
    "promote": "calm",
    "bootstrap": "calm",
    "reject": "unsure",
    "skip": "unsure",
    "rollback": "drift",
    "failed": "fault",
}
# Where a promotion is refused: the value lies on the wrong side of the threshold.
AT_MOST = frozenset({"brier_limit", "segments", "paired_evidence"})
GATE_NAMES = {
    "sufficient_samples": "Sufficient samples",
    "label_coverage": "Label coverage",
    "cooldown": "Cooldown",
    "metric_gain": "Metric gain",
    "brier_limit": "Brier limit",
    "segments": "Segments",
    "paired_evidence": "Paired evidence",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the story: when, what kind, by whom, its sentence; link: the decision's own page."""

    when: str
    kind: str
    tone: str
    by: str
    sentence: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class DecisionsPage:
    """Lines of a page, newest first; older, newer: numbers of the pages beside it, None where there is none."""

    lines: tuple[Line, ...]
    total: int
    older: int | None
    newer: int | None


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: its bar and threshold as shares of the drawing's width, None where it has no value."""

    name: str
    passed: bool
    figures: str
    reason: str
    bar: float | None
    mark: float | None


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """One decision with what became of it."""

    decision: Decision
    line: Line
    gates: tuple[Gate, ...]
    outcome: str
    facts: tuple[tuple[str, str], ...]


def decisions_page(story: Story, page: int) -> DecisionsPage:
    """A page of the ledger; 0 is the newest."""
    lines = lines_of(story, newest_first=True)
    start = page * PER_PAGE
    return DecisionsPage(
        lines=lines[start : start + PER_PAGE],
        total=len(lines),
        older=page + 1 if start + PER_PAGE < len(lines) else None,
        newer=page - 1 if page > 0 else None,
    )


def lines_of(story: Story, *, newest_first: bool = False) -> tuple[Line, ...]:
    """A line for each decision and each pause; outcomes are told in the lines of their decisions."""
    lines = [line for entry in story.entries if (line := _line(entry, story)) is not None]
    return tuple(reversed(lines) if newest_first else lines)


def line_of(decision: Decision, story: Story) -> Line:
    """The line of one decision."""
    outcome = story.outcome_of(decision)
    lost = outcome is not None and outcome.kind == "conflict"
    return Line(
        when=moment(decision.decided_at),
        kind=decision.kind,
        tone="fault" if lost else TONES[decision.kind],
        by=decision.actor,
        sentence=told(decision, story),
        link=f"/decisions/{decision.decision_id}",
    )


def decision_page(decision: Decision, story: Story) -> DecisionPage:
    """The page of one decision."""
    outcome = story.outcome_of(decision)
    return DecisionPage(
        decision=decision,
        line=line_of(decision, story),
        gates=tuple(gate_of(gate) for gate in decision.gates),
        outcome=f"{outcome.kind}, {moment(outcome.recorded_at)}: {outcome.reason}" if outcome else "",
        facts=tuple(_facts(decision)),
    )


def gate_of(gate: GateResult) -> Gate:
    """A gate as it is drawn."""
    bar, mark = _scaled(gate.value, gate.threshold)
    return Gate(
        name=GATE_NAMES.get(gate.gate, gate.gate.replace("_", " ")),
        passed=gate.passed,
        figures=_figures(gate),
        reason=named_reason(gate),
        bar=bar,
        mark=mark,
    )


def _figures(gate: GateResult) -> str:
    if gate.value is None or gate.threshold is None:
        return ""
    needed = f"{'at most' if gate.gate in AT_MOST else 'at least'} {number(gate.threshold)}"
    return f"{number(gate.value)}, needed {needed}{f', on {gate.n:,} rows' if gate.n else ''}"


def _scaled(value: float | None, threshold: float | None) -> tuple[float | None, float | None]:
    """Value and threshold on a scale on which the larger of both takes nine tenths; below zero there is no bar."""
    if value is None or threshold is None:
        return None, None
    largest = max(value, threshold, 0.0)
    if largest == 0.0:
        return 0.0, 0.0
    return max(value, 0.0) / largest * 0.9, max(threshold, 0.0) / largest * 0.9


def _facts(decision: Decision) -> list[tuple[str, str]]:
    facts = [("Decided", moment(decision.decided_at)), ("By", decision.actor), ("Trigger", decision.trigger)]
    facts += [("Version", decision.version)] if decision.version else []
    facts += [("Production then", decision.previous_version)] if decision.previous_version else []
    facts += [("Healing", decision.execution)] if decision.execution else []
    if decision.approval is not None:
        said = "approved" if decision.approval.approved else "refused"
        facts.append(("Answer", f"{said} by {decision.approval.by}: {decision.approval.reason}"))
    if decision.evidence is not None:
        evidence = decision.evidence
        facts.append(
            ("Evidence", f"{evidence.rows:,} rows from {moment(evidence.oldest)} to {moment(evidence.newest)}")
        )
    return facts


def _line(entry: LedgerEntry, story: Story) -> Line | None:
    if entry.switch is not None:
        return _switched(entry.switch)
    return line_of(entry.decision, story) if entry.decision is not None else None


def _switched(switch: Switch) -> Line:
    what = "Automatic promotion was paused" if switch.paused else "Automatic promotion goes on"
    kind = "pause" if switch.paused else "resume"
    return Line(moment(switch.changed_at), kind, "unsure", switch.actor, f"{what}: {switch.reason}")
