"""Files of the commands' options: results that are written, rows that are in order."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from selfheal.contract import Contract
    from selfheal.data.files import LabelledFile


def to_be_written(path: Path | None) -> Path | None:
    """An option's callback: say before the work, not after it, that its result could not be written."""
    if path is not None and not path.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}: make it, or name another one")
    return path


def read_rows(data: Path, contract: "Contract", *, end: datetime, now: datetime) -> "LabelledFile":
    """The labelled rows of a file; what to know of them is said on standard error. Raises DataInvalid."""
    from selfheal.data.files import read_labelled

    file = read_labelled(data, contract, end=end, now=now)
    for note in file.notes:
        typer.echo(note, err=True)
    return file
