"""`selfheal score`: have the deployed API answer a file of rows."""

from pathlib import Path
from typing import Annotated

import typer

from selfheal_tools.cli.files import to_be_written
from selfheal_tools.cli.options import StageOption
from selfheal_tools.connection import connect
from selfheal_tools.signed_api import SignedApi

# Rows were refused: as `selfheal labels` says it.
REFUSED = 3


def score(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A table with the contract's features.")],
    out: Annotated[Path, typer.Option(callback=to_be_written, dir_okay=False, help="Where the answers go, as CSV.")],
    stage: StageOption = "dev",
) -> None:
    """Send a file's rows to the API in parts and write the answers beside them. Run again, it goes on where it ended.

    Rows that don't match the contract are listed in a file beside the answers, and the exit code is 3.
    """
    import time

    from selfheal_tools.scoring.run import score_file

    environment = connect(stage)
    contract = environment.stores.models.manifest(environment.stores.pointer.read().pointer.version).contract
    with SignedApi(environment.url) as api:
        done = score_file(file, out, contract, api, sleep=time.sleep)
    typer.echo(f"answered: {done.answered} row(s) in {out}")
    if done.unlogged:
        typer.echo(f"not logged yet: {done.unlogged} of them, see `selfheal replay-log --help`")
    if done.refused:
        typer.echo(f"refused: {done.refused} row(s), see {out.with_name(f'{out.stem}.refused.csv')}")
        raise typer.Exit(REFUSED)
