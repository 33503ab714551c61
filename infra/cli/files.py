"""Files of the commands' options: results that are written, rows that are in order."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from selfheal.contract import Contract


def to_be_written(path: Path | None) -> Path | None:
    """An option's callback: say before the work, not after it, that its result could not be written."""
    if path is not None and not path.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}: make it, or name another one")
    return path


def say_order(data: Path, contract: "Contract") -> None:
    """Say on standard error that a file's rows count in their order, where it lacks the contract's time column."""
    from selfheal.data.files import column_names

    time = contract.model.time_column
    if time is not None and time not in column_names(data):
        typer.echo(f"{data.name} has no time column {time!r}: its rows are taken to be in order of time", err=True)
