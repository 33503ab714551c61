"""`selfheal labels`: upload true labels."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.environment import StageOption, connect
from selfheal.errors import UploadUnreadable
from selfheal.labels.files import check_size
from selfheal.stores.labels import INCOMING, REJECTED

SUFFIXES = (".csv", ".jsonl", ".parquet")


def labels(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="CSV, JSON lines or Parquet with prediction_id and label."),
    ],
    stage: StageOption = "dev",
) -> None:
    """Upload a file of true labels; the labels function takes it from there."""
    if file.suffix not in SUFFIXES or not file.is_file():
        raise UploadUnreadable(f"{file} is not a file with one of the endings {', '.join(SUFFIXES)}")
    check_size(file.stat().st_size)
    environment = connect(stage)
    body = file.read_bytes()
    # Tomorrow's file may have the same name.
    key = environment.stores.labels.receive(f"{hashlib.sha256(body).hexdigest()[:12]}-{file.name}", body)
    refusals = f"{REJECTED}{key.removeprefix(INCOMING)}/"
    typer.echo(f"uploaded to s3://{environment.data_bucket}/{key}; refused rows appear under {refusals}")
