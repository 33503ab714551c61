"""A progress bar that a notebook shows, made of HTML alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from IPython import display as notebook

from selfheal_tools.backtest.run import Ticked


@contextmanager
def bar(total: int) -> Iterator[Ticked]:
    """Count periods of all policies, `total` of them; it is full when the work is done."""
    done: set[tuple[str, int]] = set()
    shown = notebook.display(_html(total, 0, ""), display_id=True)

    def ticked(policy: str, period: int) -> None:
        done.add((policy, period))
        shown.update(_html(total, len(done), f"{policy}, period {period}"))

    try:
        yield ticked
    finally:
        shown.update(_html(total, total, ""))


def _html(total: int, done: int, said: str) -> notebook.HTML:
    bar_and_text = f'<progress max="{total}" value="{done}"></progress> {said}'
    return notebook.HTML(bar_and_text)
