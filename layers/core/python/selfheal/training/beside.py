"""Fits beside each other, in threads: histogram boosting hardly holds the interpreter's lock.

Not more threads inside of a fit: those split sums, which then come out in another order on another machine, and wait
for each other on a busy core, which makes a run of seconds one of minutes.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from threadpoolctl import threadpool_limits


def beside_each_other[Task, Outcome](
    do: Callable[[Task], Outcome], tasks: Iterable[Task], *, at_a_time: int
) -> list[Outcome]:
    """What each task came to, in their order; the first error of them is raised once those begun have ended."""
    # OpenMP counts its threads per calling thread, so the limit is set in each of these.
    with ThreadPoolExecutor(at_a_time, initializer=partial(threadpool_limits, 1)) as threads:
        return list(threads.map(do, tasks))
