"""Fits beside each other, in threads: histogram boosting hardly holds the interpreter's lock.

Not more threads inside of a fit: those split sums, which then come out in another order on another machine, and wait
for each other on a busy core, which makes a run of seconds one of minutes.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

# What these say of a fit is for whoever writes one: what it came to is measured on the tuning rows.
FITTING = {"sklearn", "scipy"}


def in_parallel[Task, Outcome](
    do: Callable[[Task], Outcome], tasks: Iterable[Task], *, at_a_time: int
) -> list[Outcome]:
    """What each task came to, in their order; the first error of them is raised once those begun have ended."""
    # OpenMP counts its threads per calling thread, so the limit is set in each of these.
    with _filters_kept(), ThreadPoolExecutor(at_a_time, initializer=partial(threadpool_limits, 1)) as threads:
        return list(threads.map(do, tasks))


@contextmanager
def _filters_kept() -> Iterator[None]:
    """Put the filters of warnings back at the end, and don't repeat what scikit-learn says meanwhile.

    Its steps set the process's filters aside and put them back. Two threads at once may put back what the other one
    had left: none, for good.
    """
    with warnings.catch_warnings():
        show = warnings.showwarning

        def shown(message: Warning | str, category: type[Warning], filename: str, *about: Any, **more: Any) -> None:
            if FITTING.isdisjoint(Path(filename).parts):
                show(message, category, filename, *about, **more)

        warnings.showwarning = shown
        yield
