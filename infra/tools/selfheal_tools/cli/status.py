"""`selfheal status`: which model answers, how the last run judged it, what was decided last, whether all is paused."""

from selfheal_tools.cli.options import StageOption
from selfheal_tools.connection import connect


def status(stage: StageOption = "dev") -> None:
    """Show which model answers, how monitoring judged it last, the last decision, and a pause of promotions."""
    import json
    from datetime import timedelta

    from rich.table import Table

    from selfheal.healing.sentences import told
    from selfheal.stores.monitoring import SUMMARY
    from selfheal.usecases.registry.pause import pause_sentence
    from selfheal_tools.terminal import add_row, terminal

    environment = connect(stage)
    production = environment.stores.pointer.read().pointer
    manifest = environment.stores.models.manifest(production.version)
    table = Table(title=f"{manifest.contract.model.name} ({stage})", show_header=False)
    add_row(table, "production", f"{production.version}, since {production.promoted_at:%Y-%m-%d %H:%M} UTC")
    add_row(table, "before it", production.previous_version or "nothing")
    # A run of this very second counts too.
    written = environment.stores.monitoring.latest(SUMMARY, environment.clock() + timedelta(seconds=1))
    if written:
        summary = json.loads(written)
        add_row(table, "last run", f"{summary['timestamp']}: {summary['sentence']}")
    story = environment.stores.ledger.story()
    add_row(table, "promotion", "automatic" if story.pause is None else pause_sentence(story.pause.switch))
    for decision in story.decisions[-1:]:
        said = told(decision, story)
        add_row(table, "last decision", f"{decision.kind} at {decision.decided_at:%Y-%m-%d %H:%M} UTC: {said}")
    terminal().print(table)
