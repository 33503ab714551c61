"""`selfheal heal`: start a healing now, without waiting for drift."""

import typer

from selfheal_tools.cli.options import ReasonOption, StageOption
from selfheal_tools.connection import connect


def heal(reason: ReasonOption, stage: StageOption = "dev") -> None:
    """Start a healing of the production model now; the gates decide as always."""
    from selfheal.composition import system_clock
    from selfheal.records.healing import Trigger
    from selfheal.usecases.heal.lifecycle import start_healing, sweep

    environment, now = connect(stage), system_clock()
    story = sweep(environment.stores, environment.executions, now, environment.notifications)
    trigger = Trigger(kind="manual", reason=reason)
    healing = start_healing(environment.stores, environment.executions, story, trigger, now)
    typer.echo(f"healing {healing.execution} has started; `selfheal history` shows its decision")
