"""`selfheal promote` and `selfheal rollback`: what a person decides, recorded with their name and reason."""

from typing import Annotated

import typer

from selfheal_tools.cli.options import ReasonOption, StageOption, actor
from selfheal_tools.cli.tracking import mirror_where_configured
from selfheal_tools.connection import connect


def promote(
    version: Annotated[str, typer.Argument(help="The version to put into production.")],
    reason: ReasonOption,
    force: Annotated[bool, typer.Option("--force", help="Yes, without the gates.")] = False,  # noqa: FBT002
    stage: StageOption = "dev",
) -> None:
    """Put a version into production without the gates; the ledger says that it was forced, and by whom."""
    from selfheal.composition import system_clock
    from selfheal.usecases.registry.promote import force_promotion

    if not force:
        raise typer.BadParameter("a promotion by hand bypasses all seven gates: say --force, or `selfheal heal`")
    environment = connect(stage)
    force_promotion(
        environment.stores, version, reason=reason, actor=actor(), now=system_clock(), tell=environment.tell
    )
    mirror_where_configured(environment.stores)


def rollback(
    reason: ReasonOption,
    version: Annotated[
        str | None, typer.Argument(help="The version to go back to; if absent, the one that was replaced.")
    ] = None,
    stage: StageOption = "dev",
) -> None:
    """Bring an older version back into production at once; done twice, it goes back one further."""
    from selfheal.composition import system_clock
    from selfheal.usecases.registry.roll_back import roll_back

    environment = connect(stage)
    roll_back(environment.stores, version, reason=reason, actor=actor(), now=system_clock(), tell=environment.tell)
    mirror_where_configured(environment.stores)
