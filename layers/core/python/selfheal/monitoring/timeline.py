"""Performance over time, carried from run to run inside the summary: a few days in a few points."""

from datetime import timedelta
from itertools import pairwise

from selfheal.records.monitoring import TimelinePoint

HORIZON = timedelta(days=14)
MOST_POINTS = 120


def extended(before: tuple[TimelinePoint, ...], point: TimelinePoint) -> tuple[TimelinePoint, ...]:
    """The points of the last two weeks and a new one; thinned to 120, those of a changed version kept."""
    kept = [old for old in before if point.timestamp - HORIZON <= old.timestamp < point.timestamp]
    if len(kept) >= MOST_POINTS:
        newer = pairwise(kept)
        kept = [old for i, (old, after) in enumerate(newer) if i % 2 or old.version != after.version] + kept[-1:]
    return (*kept, point)
