"""`selfheal call`: ask the deployed API, signed as its IAM authorisation wants it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from selfheal_tools.cli.options import StageOption
from selfheal_tools.connection import connect
from selfheal_tools.signed_api import SignedApi


def call(
    path: Annotated[str, typer.Argument(help="Path of the API, such as /model or /predict.")] = "/health",
    body: Annotated[Path | None, typer.Option(help="JSON file to post; `-` reads standard input.")] = None,
    stage: StageOption = "dev",
) -> None:
    """Ask the deployed API: GET, or POST where a body is given. The exit code is 1 where the answer is an error."""
    payload = None if body is None else (sys.stdin.buffer.read() if str(body) == "-" else body.read_bytes())
    with SignedApi(connect(stage).url) as api:
        status, text = api.send(path, payload, {})
    typer.echo(text)
    raise typer.Exit(0 if status < 400 else 1)  # noqa: PLR2004 - HTTP's own border between answers and errors
