"""`selfheal drift`: judge one file against another, without any cloud."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfheal_tools.cli.files import to_be_written
from selfheal_tools.contract_file import read_contract

if TYPE_CHECKING:
    from rich.table import Table

    from selfheal.records.monitoring import DriftSummary

EXIT_CODES = {
    "no_drift": 0,
    "drift": 3,
    "widespread_drift": 3,
    "not_enough_data": 4,
    "pipeline_fault": 5,
}
FileOption = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A table: docs/files.md.")]


def drift(
    contract: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The contract, a TOML file.")],
    reference: FileOption,
    current: FileOption,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", dir_okay=False, callback=to_be_written, help="Write the summary to this file."),
    ] = None,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", dir_okay=False, callback=to_be_written, help="Write the report to this file."),
    ] = None,
) -> None:
    """Judge two files. Exit code 0: no drift, 3: drift, 4: not enough data, 5: the data pipeline looks broken."""
    from selfheal.composition import system_clock
    from selfheal.data.files import read_features
    from selfheal.monitoring.offline import compare
    from selfheal.report import render_report
    from selfheal.text import printable
    from selfheal_tools.terminal import terminal

    parsed = read_contract(contract)
    tables = read_features(reference, parsed), read_features(current, parsed)
    summary = compare(*tables, parsed, now=system_clock())
    console = terminal()
    console.print(printable(summary.sentence), style="bold")
    for finding in summary.findings:
        console.print(printable(f"{finding.severity}: {finding.message}"))
    if summary.features:
        console.print(_shown(summary))
    if json_file:
        json_file.write_bytes(summary.to_json())
    if html_file:
        html_file.write_bytes(render_report(summary))
    raise typer.Exit(EXIT_CODES[summary.verdict])


def _shown(summary: "DriftSummary") -> "Table":
    from rich.table import Column, Table

    from selfheal_tools.terminal import add_row

    columns = ("drifted", "effect", "score", "p-value", "test", "smallest shift seen")
    table = Table(Column("feature", overflow="fold"), *columns)
    for feature in summary.features:
        smallest = feature.smallest_detectable_shift
        add_row(
            table,
            feature.feature,
            "yes" if feature.drift_detected else "no",
            f"{feature.effect_size:.3f}",
            f"{feature.drift_score:.3f}",
            f"{feature.p_value:.2g}",
            feature.stat_test,
            "-" if smallest is None else f"{smallest:.2g}",
        )
    return table
