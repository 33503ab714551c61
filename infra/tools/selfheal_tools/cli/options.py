"""What commands about a deployed environment have in common: whose stage, why, and who."""

from typing import Annotated

import typer

StageOption = Annotated[str, typer.Option(help="Stage of the deployed environment; `local`: the demo of this folder.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it stands in the ledger.")]


def actor() -> str:
    """Who gives the command, for the ledger: the operating system's user, never an account number."""
    import getpass

    return f"cli:{getpass.getuser()}"
