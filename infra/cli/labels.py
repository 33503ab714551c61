"""`selfheal labels`: upload true labels."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.environment import StageOption, connect


def labels(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="A table with prediction_id and label."),
    ],
    stage: StageOption = "dev",
) -> None:
    """Upload a file of true labels; the labels function takes it from there."""
    from selfheal.files.limits import UPLOAD
    from selfheal.files.opening import opened
    from selfheal.labels.files import check_size

    check_size(file.stat().st_size)
    with file.open("rb") as content:
        opened(file.name, content, UPLOAD)
    environment = connect(stage)
    body = file.read_bytes()
    # Tomorrow's file may have the same name.
    key = environment.stores.labels.receive(f"{hashlib.sha256(body).hexdigest()[:12]}-{file.name}", body)
    typer.echo(f"uploaded to s3://{environment.data_bucket}/{key}; refused rows appear under labels/rejected/")
