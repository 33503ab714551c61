"""What a person sees while the demo runs: events as they happen above a bar that says what is going on now."""

from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from selfheal.text import printable
from selfheal_tools.demo.outcome import Outcome
from selfheal_tools.demo.recovery import HEADINGS, METRICS, PERIODS, told
from selfheal_tools.terminal import add_row


class Display:
    """Events and progress on a terminal; plain lines where the output is no terminal."""

    def __init__(self, console: Console, start: datetime) -> None:
        self._console = console
        self._start = start
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def doing(self, what: str, share: float | None = None) -> None:
        """Say what is going on; `share` of the whole is done."""
        total = None if share is None else 1.0
        self._progress.update(self._task, description=what, total=total, completed=share or 0.0)

    def happened(self, moment: datetime, what: str, style: str = "") -> None:
        """Say what happened, at a moment of the simulated clock."""
        since = moment - self._start
        when = f"day {since.days:>2} {moment:%H:%M}"
        self._console.print(Text.assemble((when, "dim"), f"  {printable(what)}"), style=style)

    def summary(self, outcome: Outcome) -> None:
        """The numbers at the end."""
        self._console.print(_recovery(outcome))
        self._console.print(_decisions(outcome))


def _recovery(outcome: Outcome) -> Table:
    table = Table(title="Production, as its users saw it", title_justify="left")
    for heading in ("", *HEADINGS):
        table.add_column(heading, justify="right" if heading else "left")
    for name, values in outcome.metrics.items():
        table.add_row(METRICS[name], *("-" if (value := values[period]) is None else told(value) for period in PERIODS))
    return table


def _decisions(outcome: Outcome) -> Table:
    table = Table(title="The ledger", title_justify="left")
    for heading in ("decided", "decision", "version", "why"):
        table.add_column(heading, overflow="fold")
    for decision in outcome.decisions:
        moment = datetime.fromisoformat(decision["decided_at"])
        add_row(table, f"{moment:%Y-%m-%d %H:%M}", decision["kind"], decision["version"] or "-", decision["reason"])
    return table
