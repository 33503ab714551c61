"""`selfheal history` and `selfheal show`: what was decided, and what a version is."""

from typing import TYPE_CHECKING, Annotated

import typer

from selfheal_tools.cli.options import StageOption
from selfheal_tools.connection import connect

if TYPE_CHECKING:
    from rich.table import Table

    from selfheal.records.ledger import Decision, GateResult
    from selfheal.records.manifest import Manifest
    from selfheal.records.story import Story

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]


def history(stage: StageOption = "dev", as_json: JsonOption = False) -> None:  # noqa: FBT002
    """List every decision and pause of an environment, oldest first, and what became of each decision."""
    from rich.table import Table

    from selfheal.healing.sentences import told
    from selfheal_tools.terminal import add_row, terminal

    story = connect(stage).stores.ledger.story()
    if as_json:
        _print_json(
            [decision.model_dump(mode="json") | {"outcome": _outcome(decision, story)} for decision in story.decisions]
        )
        return
    table = Table("when (UTC)", "decision", "by", "what and why")
    for entry in story.entries:
        if entry.switch:
            kind = "pause" if entry.switch.paused else "resume"
            add_row(table, f"{entry.switch.changed_at:%Y-%m-%d %H:%M}", kind, entry.switch.actor, entry.switch.reason)
        if entry.decision:
            decided = entry.decision
            said = told(decided, story)
            add_row(table, f"{decided.decided_at:%Y-%m-%d %H:%M}", decided.kind, decided.actor, said)
    terminal().print(table)


def show(
    version: Annotated[str, typer.Argument(help="A version that `selfheal history` names.")],
    stage: StageOption = "dev",
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show what a version is: where it comes from, how it did, which gates it met."""
    from selfheal.healing.sentences import told
    from selfheal_tools.terminal import terminal

    stores = connect(stage).stores
    manifest = stores.models.manifest(version)
    story = stores.ledger.story()
    decisions = [decision for decision in story.decisions if decision.version == version]
    if as_json:
        about = [decision.model_dump(mode="json") for decision in decisions]
        _print_json(manifest.model_dump(mode="json") | {"decisions": about})
        return
    console = terminal()
    console.print(_about(manifest))
    for decision in decisions:
        typer.echo(f"{decision.decided_at:%Y-%m-%d %H:%M} UTC, by {decision.actor}: {told(decision, story)}")
        if decision.gates:
            console.print(_gates(decision.gates))


def _outcome(decision: "Decision", story: "Story") -> str | None:
    outcome = story.outcome_of(decision)
    return outcome.kind if outcome else None


def _about(manifest: "Manifest") -> "Table":
    from rich.table import Table

    from selfheal_tools.terminal import add_row

    table = Table(title=manifest.version, show_header=False)
    chosen = [candidate.name for candidate in manifest.candidates if candidate.chosen]
    add_row(table, "trained", f"{manifest.created_at:%Y-%m-%d %H:%M} UTC, instead of {manifest.lineage.parent_version}")
    add_row(table, "why", manifest.lineage.trigger)
    kind = "a blend" if manifest.members else ", ".join(chosen) or "unknown"
    add_row(table, "model", kind if manifest.threshold is None else f"{kind}, threshold {manifest.threshold:.4f}")
    for member in manifest.members:
        add_row(table, "member", f"{member.version}, weight {member.weight:.3f}")
    add_row(
        table,
        "data",
        f"{manifest.data.rows} rows"
        + (f" of {manifest.data.sampling.held}" if manifest.data.sampling else "")
        + (f", {manifest.data.positives} positive" if manifest.data.positives else ""),
    )
    add_row(table, "from, to", f"{manifest.data.oldest:%Y-%m-%d %H:%M}, {manifest.data.newest:%Y-%m-%d %H:%M}")
    add_row(table, "fingerprint", manifest.data.fingerprint)
    for name, value in manifest.metrics.items():
        add_row(table, name, f"{value:.4f}")
    return table


def _gates(gates: "tuple[GateResult, ...]") -> "Table":
    from rich.table import Table

    from selfheal.healing.sentences import named_reason
    from selfheal_tools.terminal import add_row

    table = Table("gate", "passed", "reason")
    for gate in gates:
        add_row(table, gate.gate, "yes" if gate.passed else "NO", named_reason(gate))
    return table


def _print_json(content: object) -> None:
    import json

    typer.echo(json.dumps(content, indent=2))
