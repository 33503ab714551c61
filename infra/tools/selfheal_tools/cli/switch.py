"""`selfheal pause` and `selfheal resume`: the kill switch of automatic promotion."""

import typer

from selfheal_tools.cli.options import ReasonOption, StageOption, actor
from selfheal_tools.connection import connect


def pause(reason: ReasonOption, stage: StageOption = "dev") -> None:
    """Stop automatic promotion at once: no healing starts, none that is under way promotes; serving goes on."""
    from selfheal.composition import system_clock
    from selfheal.usecases.registry.pause import pause as begin
    from selfheal.usecases.registry.pause import pause_sentence

    typer.echo(pause_sentence(begin(connect(stage).stores, reason=reason, actor=actor(), now=system_clock())))


def resume(reason: ReasonOption, stage: StageOption = "dev") -> None:
    """Let automatic promotion go on after a pause."""
    from selfheal.composition import system_clock
    from selfheal.usecases.registry.pause import resume as end

    switch = end(connect(stage).stores, reason=reason, actor=actor(), now=system_clock())
    typer.echo("automatic promotion is on" if switch else "automatic promotion was on already")
