"""`selfheal demo`: the whole loop on this machine."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    contract: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Contract of the file; default: credit risk.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A table of labelled rows; default: a made-up stream."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write what was shown to this file.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Serve the API and the reports until Ctrl-C.")] = False,
) -> None:
    """Run the whole loop on this machine: first model, traffic, drift, healing, recovery, and a rejected model.

    A file of yours needs 2,000 labelled rows, and (of two values) 20 of either label in its oldest quarter. The exit
    code is 0 only if the new version answers and at least half of what drift took has come back, in one of the metrics
    by which the contract's gates judge, against the old model on the same rows; otherwise the last lines say why not.
    """
    if contract is not None and data is None:
        raise typer.BadParameter("a contract describes a file: give --data too")
    from selfheal.composition import system_clock
    from selfheal_tools.checkout import check_checkout

    check_checkout("the demo")
    from selfheal_tools.demo.run import run_demo  # it imports the template

    outcome = run_demo(contract_path=contract, data_path=data, json_path=json, seed=seed, keep=keep, now=system_clock())
    raise typer.Exit(0 if outcome.healed else 1)
