"""`selfheal history` and `selfheal show`: what was decided, and what a version is."""

from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.environment import StageOption, connect

if TYPE_CHECKING:
    from rich.table import Table

    from selfheal.records.ledger import GateResult
    from selfheal.records.manifest import Manifest

JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]


def history(stage: StageOption = "dev", as_json: JsonOption = False) -> None:  # noqa: FBT002
    """List every decision and pause of an environment, oldest first, and what became of each decision."""
    from rich.console import Console
    from rich.table import Table

    from selfheal.healing.sentences import sentence_of

    entries = list(connect(stage).stores.ledger.entries())
    outcomes = {entry.outcome.decision_id: entry.outcome.kind for entry in entries if entry.outcome}
    decisions = [entry.decision for entry in entries if entry.decision]
    if as_json:
        _print_json([d.model_dump(mode="json") | {"outcome": outcomes.get(d.decision_id)} for d in decisions])
        return
    table = Table("when (UTC)", "decision", "by", "what and why")
    for entry in entries:
        if entry.switch:
            kind = "pause" if entry.switch.paused else "resume"
            table.add_row(f"{entry.switch.changed_at:%Y-%m-%d %H:%M}", kind, entry.switch.actor, entry.switch.reason)
        if entry.decision:
            lost = outcomes.get(entry.decision.decision_id) == "conflict"
            said = sentence_of(entry.decision, is_applied=not lost)
            table.add_row(
                f"{entry.decision.decided_at:%Y-%m-%d %H:%M}", entry.decision.kind, entry.decision.actor, said
            )
    Console().print(table)


def show(
    version: Annotated[str, typer.Argument(help="A version that `selfheal history` names.")],
    stage: StageOption = "dev",
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show what a version is: where it comes from, how it did, which gates it met."""
    from rich.console import Console

    from selfheal.healing.sentences import sentence_of

    stores = connect(stage).stores
    manifest = stores.models.manifest(version)
    decisions = [known for known in stores.ledger.decisions() if known.version == version]
    if as_json:
        about = [decision.model_dump(mode="json") for decision in decisions]
        _print_json(manifest.model_dump(mode="json") | {"decisions": about})
        return
    console = Console()
    console.print(_about(manifest))
    for decision in decisions:
        typer.echo(f"{decision.decided_at:%Y-%m-%d %H:%M} UTC, by {decision.actor}: {sentence_of(decision)}")
        if decision.gates:
            console.print(_gates(decision.gates))


def _about(manifest: "Manifest") -> "Table":
    from rich.table import Table

    table = Table(title=manifest.version, show_header=False)
    chosen = [candidate.name for candidate in manifest.candidates if candidate.chosen]
    table.add_row("trained", f"{manifest.created_at:%Y-%m-%d %H:%M} UTC, instead of {manifest.lineage.parent_version}")
    table.add_row("why", manifest.lineage.trigger)
    kind = "a blend" if manifest.members else ", ".join(chosen) or "unknown"
    table.add_row("model", f"{kind}, threshold {manifest.threshold:.4f}")
    for member in manifest.members:
        table.add_row("member", f"{member.version}, weight {member.weight:.3f}")
    table.add_row("data", f"{manifest.data.rows} rows, {manifest.data.positives} positive")
    table.add_row("from, to", f"{manifest.data.oldest:%Y-%m-%d %H:%M}, {manifest.data.newest:%Y-%m-%d %H:%M}")
    table.add_row("fingerprint", manifest.data.fingerprint)
    for name, value in manifest.metrics.items():
        table.add_row(name, f"{value:.4f}")
    return table


def _gates(gates: "tuple[GateResult, ...]") -> "Table":
    from rich.table import Table

    table = Table("gate", "passed", "reason")
    for gate in gates:
        table.add_row(gate.gate, "yes" if gate.passed else "NO", gate.reason)
    return table


def _print_json(content: object) -> None:
    import json

    typer.echo(json.dumps(content, indent=2))
