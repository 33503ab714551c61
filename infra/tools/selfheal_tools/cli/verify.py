"""`selfheal verify`: is everything in the registry what was written and decided?"""

import typer

from selfheal_tools.cli.options import StageOption
from selfheal_tools.connection import connect


def verify(stage: StageOption = "dev") -> None:
    """Recompute the ledger's chain, every hash and every verdict; name the first thing that is off."""
    from selfheal.usecases.registry.verify import verify as run

    found = run(connect(stage).stores)
    typer.echo(
        f"all is as it was written: {found.entries} ledger entries, {found.versions} versions with {found.artefacts} "
        f"artefacts, {found.verdicts} verdicts recomputed from their evidence"
    )
