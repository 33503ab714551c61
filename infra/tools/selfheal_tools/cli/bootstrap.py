"""`selfheal bootstrap`: the first model of an environment."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfheal_tools.cli.files import read_rows
from selfheal_tools.cli.options import StageOption, actor
from selfheal_tools.connection import aim_at, connect
from selfheal_tools.contract_file import read_contract

if TYPE_CHECKING:
    from selfheal.models.trainer import Trainer


def bootstrap(
    contract: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The contract, a TOML file.")],
    data: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A table with the label: docs/files.md.")],
    model: Annotated[
        str | None,
        typer.Option(help="A fitted model to serve as it is: a joblib file, an MLflow model's folder or its URI."),
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Open the model without asking.")] = False,
    stage: StageOption = "dev",
) -> None:
    """Train the first version of an environment, or take a fitted model, and put it into production, without gates."""
    from selfheal.composition import system_clock
    from selfheal.models.trainers import BUILT_IN
    from selfheal.usecases.registry.bootstrap import bootstrap as run

    # A local stage has a clock of its own.
    aim_at(stage)
    parsed, now = read_contract(contract), system_clock()
    file = read_rows(data, parsed, end=now, now=now)
    fit = BUILT_IN if model is None else _ready_made(model, opens_unasked=yes)
    # What is wrong with a file is told without any environment.
    environment = connect(stage)
    if model is None:
        typer.echo(f"training on {len(file.rows)} rows")
    else:
        healer = parsed.model.trainer or "the built-in trainer, as the contract names none"
        typer.echo(
            f"taking {model} as it is, judged on the newest of {len(file.rows)} rows; healings train by {healer}"
        )
    run(
        environment.stores, file.rows, parsed, file.label_values, now=now, actor=actor(), fit=fit, tell=environment.tell
    )


def _ready_made(named: str, *, opens_unasked: bool) -> "Trainer":
    from selfheal.training.ready_made import ReadyMade
    from selfheal_tools.mlflow_model import local_copy
    from selfheal_tools.model_file import WARNING, model_path, open_model

    with local_copy(named) as copy:
        path = model_path(copy)
        typer.echo(WARNING.format(name=named), err=True)
        if not opens_unasked:
            typer.confirm("Open it?", abort=True, err=True)
        found, told = open_model(path)
    for warning in told:
        typer.echo(f"while it was opened: {warning}", err=True)
    return ReadyMade(found)
