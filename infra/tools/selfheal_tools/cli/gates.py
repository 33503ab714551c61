"""`selfheal gates`: judge a file of evidence offline, by the gates that a healing uses."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfheal_tools.cli.files import to_be_written
from selfheal_tools.contract_file import read_contract

if TYPE_CHECKING:
    from rich.table import Table

    from selfheal.records.ledger import GateResult

REJECTED = 3


def gates(
    contract: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The contract, a TOML file.")],
    evidence: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="A table of labels and both models' answers.")
    ],
    json_file: Annotated[
        Path | None,
        typer.Option("--json", dir_okay=False, callback=to_be_written, help="Write the results to this file too."),
    ] = None,
) -> None:
    """Judge a shadow model by a file, oldest row first. Exit code 0: promote, 3: reject.

    Columns: label (1 or 0, empty where none has come), production_probability, shadow_probability, and the features
    that the contract's segments name; production_prediction and shadow_prediction (1 or 0) where the operating points
    aren't the contract's. Of several classes label is one of them, and each has a column for each model:
    production_probability.<class>, shadow_probability.<class>. Of numbers: label, production_prediction,
    shadow_prediction. No promotion is taken to have come before, so that the cooldown is over.
    """
    from selfheal.composition import system_clock
    from selfheal.gates import judge_gates
    from selfheal.gates.offline import read_evidence
    from selfheal.healing.sentences import named_reason
    from selfheal_tools.terminal import terminal

    parsed = read_contract(contract)
    rows, circumstances = read_evidence(evidence, parsed, system_clock())
    results = judge_gates(rows, circumstances, parsed.policy.gates, parsed.segments)
    is_promoted = all(result.passed for result in results)
    terminal().print(_table(results))
    # Once more on lines of their own: a narrow table breaks words.
    for result in results:
        if not result.passed:
            typer.echo(f"{result.gate}: {named_reason(result)}")
    typer.echo("promote" if is_promoted else "reject")
    if json_file is not None:
        _write(json_file, results, is_promoted=is_promoted)
    if not is_promoted:
        raise typer.Exit(REJECTED)


def _table(results: "tuple[GateResult, ...]") -> "Table":
    from rich.table import Table

    from selfheal_tools.terminal import add_row

    table = Table("gate", "passed", "value", "threshold", "n", "95 % interval", "reason")
    for result in results:
        low, high = result.interval or (None, None)
        interval = "" if low is None else f"{low:.4f} to {high:.4f}"
        cells = (_number(result.value), _number(result.threshold), str(result.n), interval)
        add_row(table, result.gate, "yes" if result.passed else "NO", *cells, result.reason)
    return table


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _write(file: Path, results: "tuple[GateResult, ...]", *, is_promoted: bool) -> None:
    import json

    verdict = {
        "verdict": "promote" if is_promoted else "reject",
        "gates": [result.model_dump(mode="json", exclude={"schema_version"}) for result in results],
    }
    file.write_text(json.dumps(verdict, indent=2) + "\n", encoding="utf-8")
