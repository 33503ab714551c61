"""`selfheal replay-log`: put predictions back into the prediction log that it didn't take."""

from pathlib import Path
from typing import Annotated

import typer

from selfheal_tools.cli.options import StageOption
from selfheal_tools.connection import connect


def replay_log(
    file: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="The predictor's log, as CloudWatch or `aws logs tail` gives it; without one, what Firehose couldn't "
            "place of a stage that logs by a stream.",
        ),
    ] = None,
    stage: StageOption = "dev",
) -> None:
    """Put predictions that were answered and not logged where they belong; once, however often it is run."""
    if file is None:
        _put_back_undelivered(stage)
    else:
        _replay(file, stage)


def _replay(file: Path, stage: str) -> None:
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


def _put_back_undelivered(stage: str) -> None:
    from selfheal.composition import system_clock
    from selfheal.usecases.serve.put_back_undelivered import put_back_undelivered

    report = put_back_undelivered(connect(stage).stores, now=system_clock())
    typer.echo(f"put back {report.put_back} undelivered prediction(s); {report.already_there} were there already")
    if report.unreadable:
        typer.echo(f"not all lines are predictions of {', '.join(report.unreadable)}: look at them by hand", err=True)
        raise typer.Exit(1)
