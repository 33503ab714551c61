"""`selfheal backtest`: what would healing have made of this history?"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfheal_tools.cli.files import to_be_written
from selfheal_tools.contract_file import read_contract

if TYPE_CHECKING:
    from rich.table import Table

    from selfheal_tools.backtest.records import Backtest, PolicyResult

# Training ahead while this one replays.
PROCESSES = 2


def backtest(
    data: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A table of labelled rows: docs/files.md.")],
    *,
    contract: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Contract of the file; default: credit risk.")
    ] = None,
    periods: Annotated[int, typer.Option(min=1, help="Equal periods of traffic.")] = 20,
    initial: Annotated[float, typer.Option(min=0.01, max=0.99, help="Share that trains the first version.")] = 0.2,
    label_delay: Annotated[
        int, typer.Option(min=0, help="Periods by which labels come later than at the end of their own.")
    ] = 0,
    label_rate: Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of rows that ever get a label.")] = 1.0,
    policies: Annotated[str, typer.Option(help="Comma-separated; default: all.")] = "",
    cooldown_days: Annotated[float | None, typer.Option(min=0.0, help="What if the cooldown were so long?")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="What if another value of the policy were so? Such as gates.minimum_gain=0.01."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", dir_okay=False, callback=to_be_written, help="Write the results to this file."),
    ] = None,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", dir_okay=False, callback=to_be_written, help="Write a page with curves to this file."),
    ] = None,
) -> None:
    """Replay a history as traffic, and compare healing with other policies of retraining on the same rows."""
    from selfheal.contract import default_contract
    from selfheal_tools.backtest.frames import backtest as replayed
    from selfheal_tools.backtest.run import DEFAULT_POLICIES
    from selfheal_tools.terminal import terminal

    cooldown = [] if cooldown_days is None else [f"gates.cooldown_days={cooldown_days}"]
    names = [name.strip() for name in policies.split(",") if name.strip()] or list(DEFAULT_POLICIES)
    with _progress(names, periods) as ticked:
        result = replayed(
            data,
            contract=read_contract(contract) if contract else default_contract(),
            periods=periods,
            initial=initial,
            label_delay=label_delay,
            label_rate=label_rate,
            policies=names,
            what_if=dict(text.partition("=")[::2] for text in [*cooldown, *(set_ or [])]),
            processes=PROCESSES,
            seed=seed,
            ticked=ticked,
        )
    for note in result.notes:
        typer.echo(note, err=True)
    console = terminal()
    console.print(_table(result.found))
    console.print(result.verdict, style="bold")
    for hint in result.found.hints:
        console.print(hint)
    if json_file is not None:
        json_file.write_bytes(result.found.to_json())
    if html_file is not None:
        html_file.write_text(result.to_html(), encoding="utf-8")


@contextmanager
def _progress(names: "Sequence[str]", periods: int) -> "Iterator[Callable[[str, int], None]]":
    """A bar for each policy that lives through periods one by one."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:16}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    # Drawn more often, it takes time from the fits.
    with Progress(*columns, refresh_per_second=1) as progress:
        bars = {name: progress.add_task(name, total=periods, start=False) for name in names}

        def ticked(name: str, period: int) -> None:
            progress.start_task(bars[name])
            progress.update(bars[name], completed=period)

        yield ticked


def _table(result: "Backtest") -> "Table":
    from rich.table import Table

    from selfheal_tools.backtest.words import WORDS

    metrics = next(iter(result.policies.values())).metrics
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("policy", no_wrap=True)
    for title in (*(WORDS[name].heading for name in metrics), "trained", "promoted", "harmful", "regained"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, policy in result.policies.items():
        table.add_row(name, *(WORDS[metric].shown(value) for metric, value in policy.metrics.items()), *_counts(policy))
    return table


def _counts(policy: "PolicyResult") -> list[str]:
    return [
        f"{policy.retrainings:g}",
        f"{policy.promotions:g}",
        f"{policy.harmful_promotions:g}",
        "-" if policy.regained is None else f"{policy.regained:.0%}",
    ]
