"""`selfheal replay-log`: put predictions from a function's log back into the prediction log."""

from pathlib import Path
from typing import Annotated

import typer

from selfheal_tools.cli.options import StageOption
from selfheal_tools.connection import connect


def replay_log(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, help="The predictor's log, as CloudWatch or `aws logs tail` gives it."
        ),
    ],
    stage: StageOption = "dev",
) -> None:
    """Put predictions that were answered while the store was down where they belong; once, however often it is run."""
    from selfheal.composition import system_clock
    from selfheal.usecases.serve import replay_log as use_case

    with file.open(encoding="utf-8", errors="replace") as lines:
        report = use_case.replay_log(connect(stage).stores, lines, now=system_clock())
    typer.echo(f"put back {len(report.put_back)} request(s); {len(report.already_there)} were there already")
    if report.incomplete:
        typer.echo(
            f"a line is missing of {', '.join(report.incomplete)}: get more of the log and run it again", err=True
        )
        raise typer.Exit(1)
