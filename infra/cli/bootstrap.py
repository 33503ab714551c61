"""`selfheal bootstrap`: the first model of an environment."""

from pathlib import Path
from typing import Annotated

import typer

from infra.cli.environment import StageOption, actor, connect
from infra.cli.files import say_order
from infra.contract_file import read_contract


def bootstrap(
    contract: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The contract, a TOML file.")],
    data: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="CSV (also .gz) or Parquet with the label.")],
    stage: StageOption = "dev",
) -> None:
    """Train the first version of an environment and put it into production, without gates."""
    from selfheal.composition import system_clock
    from selfheal.data.files import label_values, load_dataset
    from selfheal.usecases.bootstrap import bootstrap as run

    parsed, now = read_contract(contract), system_clock()
    rows = load_dataset(data, parsed, end=now)
    say_order(data, parsed)
    environment = connect(stage)
    typer.echo(f"training on {len(rows)} rows")
    values = label_values(data, parsed)
    run(environment.stores, rows, parsed, values, now=now, actor=actor(), tell=environment.tell)
