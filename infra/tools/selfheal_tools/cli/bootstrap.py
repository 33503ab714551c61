"""`selfheal bootstrap`: the first model of an environment."""

from pathlib import Path
from typing import Annotated

import typer

from selfheal_tools.cli.environment import StageOption, actor, aim_at, connect
from selfheal_tools.cli.files import read_rows
from selfheal_tools.contract_file import read_contract


def bootstrap(
    contract: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The contract, a TOML file.")],
    data: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A table with the label: docs/files.md.")],
    stage: StageOption = "dev",
) -> None:
    """Train the first version of an environment and put it into production, without gates."""
    from selfheal.composition import system_clock
    from selfheal.usecases.registry.bootstrap import bootstrap as run

    # A local stage has a clock of its own.
    aim_at(stage)
    parsed, now = read_contract(contract), system_clock()
    file = read_rows(data, parsed, end=now, now=now)
    # What is wrong with a file is told without any environment.
    environment = connect(stage)
    typer.echo(f"training on {len(file.rows)} rows")
    run(environment.stores, file.rows, parsed, file.label_values, now=now, actor=actor(), tell=environment.tell)
