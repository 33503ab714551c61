"""The terminal that commands print to. What they print is data: no markup, no emoji codes, no control characters."""

from rich.console import Console
from rich.table import Table

from selfheal.text import printable


def terminal() -> Console:
    """A console that shows square brackets as they are."""
    return Console(markup=False, emoji=False, highlight=False)


def add_row(table: Table, *cells: str) -> None:
    """A row of a table; every cell is shown as it is, on one line unless the table folds it."""
    table.add_row(*(printable(cell) for cell in cells))
