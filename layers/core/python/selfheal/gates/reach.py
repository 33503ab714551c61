"""How far evidence reaches: do two models differ far more on the newest requests than on the rows that judged them?

Labels come late, so that the rows that judge are older than the requests that will be answered. Where the population
has changed since, a gain on those rows says little of these. What the models answer needs no label: two that disagree
far more on today's requests than where they were compared haven't been compared on what is asked today.
"""

import numpy as np
from scipy.special import ndtri

from selfheal.gates.resampling import blocks_of
from selfheal.tasks import BINARY, Task
from selfheal.tasks.port import Floats

# So many of the newest requests are asked.
NEWEST_REQUESTS = 1000
CONFIDENCE = 0.95


def least_disagreement(before: Floats, after: Floats, task: Task = BINARY) -> float | None:
    """A lower 95 % bound of the mean distance of two models' answers to the same n rows, from blocks of rows in time
    order; None for fewer than two rows.
    """
    distances = task.distances(before, after)
    if len(distances) < 2:  # noqa: PLR2004 - one block has no spread
        return None
    blocks = blocks_of(len(distances))
    means = np.bincount(blocks, distances) / np.bincount(blocks)
    error = float(means.std(ddof=1) / np.sqrt(len(means)))
    return max(0.0, float(distances.mean()) - float(ndtri(CONFIDENCE)) * error)
