"""`selfheal console`: a page on this machine that says how the service is, and lets a person act."""

from typing import Annotated

import typer

from selfheal_tools.cli.options import StageOption
from selfheal_tools.cli.tracking import mirror_where_configured
from selfheal_tools.connection import connect


def console(
    stage: StageOption = "dev",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0: any that is free.")] = 8321,
    *,
    read_only: Annotated[bool, typer.Option("--read-only", help="Show everything, and let nobody act.")] = False,
) -> None:
    """Serve a web page on this machine, until Ctrl-C: how the service is, what was decided and why, and what to do.

    It works with your own credentials; open the printed address, which holds a key that is new at each start.
    """
    import getpass

    from selfheal_tools.console.desk import Settings
    from selfheal_tools.console.serving import serve

    environment = connect(stage)
    settings = Settings(
        actor=f"console:{getpass.getuser()}",
        read_only=read_only,
        moved=lambda: mirror_where_configured(environment.stores),
    )
    serve(environment, settings, port, lambda address: typer.echo(f"console: {address}"))
