"""`selfheal labels`: upload true labels and say what became of them; show those that were refused."""

import hashlib
import io
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfheal.errors import SelfhealError
from selfheal.text import printable
from selfheal_tools.cli.options import StageOption
from selfheal_tools.connection import connect

if TYPE_CHECKING:
    from selfheal.records.labels import IngestionReport
    from selfheal_tools.environment import Environment

# Rows were refused: the same exit code as that of a refused promotion.
REFUSED = 3
# The labels function starts in seconds; what it takes in without cutting it takes half a minute at the most.
WAIT_SECONDS = 180.0
POLL_SECONDS = 1.0
# Refused rows shown of one upload.
SHOWN = 20


class OutcomeUnknown(SelfhealError):
    """An upload isn't taken in yet; nothing of it is lost."""


def labels(
    file: Annotated[
        Path | None,
        typer.Argument(
            dir_okay=False,
            help="A table with label and prediction_id, or with your own ids as the contract names them.",
        ),
    ] = None,
    stage: StageOption = "dev",
    *,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Show the rows that were refused: of FILE, or of all uploads.")
    ] = False,
) -> None:
    """Upload a file of true labels and wait for what becomes of it. The exit code is 3 where rows were refused."""
    if rejected:
        _show_rejected(connect(stage), file)
    elif file is None:
        raise typer.BadParameter("name a file to upload, or ask for --rejected")
    else:
        _upload(file, stage)


def _upload(file: Path, stage: str) -> None:
    from selfheal.files.limits import LOCAL
    from selfheal.files.opening import opened
    from selfheal.labels.parts import part_name
    from selfheal.usecases.labels.ingest import terms_of_production
    from selfheal_tools.label_parts import parts_of

    if not file.is_file():
        raise typer.BadParameter(f"there is no file {file}")
    body = file.read_bytes()
    opened(file.name, io.BytesIO(body), LOCAL)
    environment = connect(stage)
    # Tomorrow's file may have the same name.
    name = f"{hashlib.sha256(body).hexdigest()[:12]}-{file.name}"
    with parts_of(file, terms_of_production(environment.stores)) as parts:
        names = [part_name(name, number, len(parts)) for number in range(len(parts))]
        sent = [_send(environment, each, part.read_bytes()) for each, part in zip(names, parts, strict=True)]
        sent = sent or [_send(environment, name, body)]
    reports = [report for each in sent for report in _outcomes(environment, *each)]
    _say(reports, file)
    raise typer.Exit(REFUSED if any(report.rejected for report in reports) else 0)


def _send(environment: "Environment", name: str, body: bytes) -> "tuple[str, IngestionReport | None]":
    """Upload a file; its name, and what became of the one of that name before."""
    store = environment.stores.labels
    before = store.outcome(name)
    key = store.receive(name, body)
    typer.echo(f"uploaded to s3://{environment.data_bucket}/{key}")
    return name, before


def _outcomes(environment: "Environment", name: str, before: "IngestionReport | None") -> "list[IngestionReport]":
    """What became of an upload, or of the parts that the labels function cut it into."""
    report = _outcome(environment, name, before)
    return [_outcome(environment, part, None) for part in report.parts] or [report]


def _outcome(environment: "Environment", name: str, before: "IngestionReport | None") -> "IngestionReport":
    deadline = time.monotonic() + WAIT_SECONDS
    while (report := environment.stores.labels.outcome(name)) is None or report == before:
        if time.monotonic() >= deadline:
            raise OutcomeUnknown(
                f"the labels function hasn't taken it in within {WAIT_SECONDS:g} seconds: it is tried again for six "
                "hours, and `selfheal labels --rejected` shows what is refused"
            )
        time.sleep(POLL_SECONDS)
    return report


def _say(reports: "Sequence[IngestionReport]", file: Path) -> None:
    """What became of a file, or of its parts together."""
    for report in reports:
        if report.reason:
            typer.echo(f"refused as a whole: {report.reason}")
    taken = [report for report in reports if not report.reason]
    if not taken:
        return
    known = " (all of it was said before)" if all(report.repeated for report in taken) else ""
    typer.echo(f"accepted: {sum(report.accepted for report in taken)} row(s){known}")
    if pending := sum(report.pending for report in taken):
        typer.echo(f"pending: {pending} row(s) by id, matched with their predictions once this hour is closed")
    if doubled := sum(report.doubled for report in taken):
        typer.echo(f"said twice: {doubled} row(s), which count once")
    if rejected := sum(report.rejected for report in taken):
        typer.echo(f"refused: {rejected} row(s)")
        reasons = sum((Counter(report.reasons) for report in taken), Counter[str]())
        for reason, count in reasons.most_common():
            typer.echo(f"  {count} x {reason}")
        typer.echo(f"each of them: selfheal labels {file.name} --rejected")


def _show_rejected(environment: "Environment", file: Path | None) -> None:
    store = environment.stores.labels
    keys = [key for key in store.refusals() if file is None or file.name in key]
    if not keys:
        typer.echo(f"no row {'' if file is None else f'of {file.name} '}was refused in the last 30 days")
    for key in keys:
        rows = store.refused(key)
        typer.echo(f"{printable(key)}: {len(rows)} refused")
        for row in rows[:SHOWN]:
            typer.echo(f"  {_row(row)}")
        if rows[SHOWN:]:
            typer.echo(f"  and {len(rows) - SHOWN} more in s3://{environment.data_bucket}/{key}")


def _row(row: dict[str, str]) -> str:
    cells = [f"{name} {printable(row[name])}" for name in ("prediction_id", "id", "label") if row.get(name)]
    line = [f"line {row['line']}"] if row["line"] != "0" else []
    return f"{', '.join([*line, *cells]) or 'the file'}: {printable(row['reason'])}"
