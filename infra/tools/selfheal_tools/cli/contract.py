"""`selfheal contract`: a first contract for one's own file, its check, and the schema of every contract."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from selfheal_tools.cli.files import to_be_written

app = typer.Typer(name="contract", help="Draft a contract from a file; check one; print the contract's JSON Schema.")


@app.command()
def infer(
    data: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A table with the label: docs/files.md.")],
    target: Annotated[str, typer.Option(help="The column to predict: two values, classes or numbers.")],
    time: Annotated[str | None, typer.Option(help="The column that says when a row was made.")] = None,
    file: Annotated[
        list[str] | None,
        typer.Option(help="How the file is written, where it allows two readings: time_format=%d/%m/%Y, sheet=Data."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, callback=to_be_written, help="Write the contract to this new file, not to the screen."
        ),
    ] = None,
) -> None:
    """Write a first contract for a file of labelled rows, with comments that say what to check."""
    from selfheal.drafting import draft_contract
    from selfheal.errors import DraftImpossible

    if out is not None and out.exists():
        raise DraftImpossible(f"{out} is there already, and may hold your corrections: name another file")
    draft = draft_contract(data, target=target, time=time, file=_stated(file or []))
    if out is None:
        typer.echo(draft.text, nl=False)
        return
    out.write_text(draft.text, encoding="utf-8", newline="\n")
    typer.echo(f"{out}: {len(draft.contract.features)} features")
    if draft.left_out:
        typer.echo(f"left out, each with its reason in the file: {', '.join(draft.left_out)}")
    again = shlex.join(["selfheal", "backtest", "--contract", str(out), "--data", str(data)])
    typer.echo(f"read its comments, then: {again}")


def _stated(pairs: list[str]) -> dict[str, str]:
    """Keys of the contract's `[file]` table, from `key=value`."""
    split = [pair.partition("=") for pair in pairs]
    if wrong := next((key for key, sign, _ in split if not sign), None):
        raise typer.BadParameter(f"{wrong!r} is not of the form key=value", param_hint="--file")
    # A tab is hard to type.
    return {key.strip(): value.replace("\\t", "\t") for key, _, value in split}


@app.command()
def check(
    contract: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The contract, a TOML file.")],
    data: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Labelled rows; a model is fitted on a sample.")
    ] = None,
) -> None:
    """Check a contract, and with rows whether what is fitted on them can be served, before anything is deployed."""
    from selfheal_tools.contract_file import read_contract

    parsed = read_contract(contract)
    typer.echo(f"{contract}: {len(parsed.features)} features, {parsed.model.task}")
    if data is None:
        return
    from selfheal.composition import system_clock
    from selfheal_tools.cli.files import read_rows
    from selfheal_tools.trial_fit import trial_fit

    now = system_clock()
    file = read_rows(data, parsed, end=now, now=now)
    classes = file.label_values.classes
    tried = trial_fit(file.rows, parsed.with_classes(classes) if classes else parsed)
    typer.echo(f"{data}: fitted on {tried.rows} rows by {parsed.model.trainer or 'the built-in trainer'}")
    for name, value in tried.metrics.items():
        typer.echo(f"  {name.replace('_', ' ')} {value:.4f} on the {tried.tuning} newest of them")
    typer.echo(f"served exactly: model.json of {tried.size} bytes answers all probes as the fitted model does")
    typer.echo(f"  one row in {tried.milliseconds:.2f} ms, in this process")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a contract, for editors and checks of one's own."""
    import json

    from selfheal.contract.schema import contract_json_schema

    typer.echo(json.dumps(contract_json_schema(), indent=2))
